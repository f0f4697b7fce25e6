// `supervise logs` with everything that can be asked of it, run for real against a control socket and real log files.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AppDescription, CrashRecord, LogRecord, ReleaseStatus } from '../../src/control/messages.ts'
import { appLineFormat } from '../../src/telemetry/app-lines.ts'
import { Labels } from '../../src/telemetry/pretty.ts'
import { logRecord } from '../control/scripted-supervisor.ts'
import { until } from '../support/until.ts'
import { run } from './command.ts'
import { StandIns } from './stand-in.ts'
import { app, worker } from './statuses.ts'

let standIns: StandIns
beforeEach(() => (standIns = new StandIns()))
afterEach(() => standIns.end())

const supervise = (...args: string[]) => run(args, { environment: standIns.environment })

function at(minute: number, line: string, more: Partial<LogRecord> = {}): LogRecord {
  return { ...logRecord(line), time: `2026-11-26T10:${String(minute).padStart(2, '0')}:00.000Z`, ...more }
}

/** A log file with its rotated ones, as an app writes them. */
function writeFiles(files: Readonly<Record<string, readonly LogRecord[]>>): string {
  const directory = join(standIns.root, 'log')
  const format = appLineFormat('json', new Labels(false))
  mkdirSync(directory)
  for (const [name, records] of Object.entries(files)) {
    const text = records.map((record) => format(record)).join('')
    writeFileSync(join(directory, name), name.endsWith('.gz') ? gzipSync(text) : text)
  }
  return join(directory, 'web.log')
}

async function live(options: { file?: string; crashes?: readonly Partial<CrashRecord>[] } = {}) {
  const config = { options: { 'log.file': options.file } }
  return standIns.live('default', [app({ workers: [worker(1), worker(2)] })], {
    // The command reads no more of them than this.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    describe: () => ({ name: 'web', config }) as unknown as AppDescription,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    crashes: () => ({ groups: [], crashes: (options.crashes ?? []) as readonly CrashRecord[] }),
  })
}

const linesOf = (stdout: string) => stdout.trimEnd().split('\n')
const find = async (...words: string[]) => linesOf((await supervise('logs', 'web', ...words)).stdout)

describe('supervise logs', () => {
  const files = {
    'web.log.2026-11-26T10-02-00.000Z.gz': [at(0, 'zero'), at(1, 'one')],
    'web.log.2026-11-26T10-04-00.000Z': [at(2, '{"level":50,"msg":"two"}'), at(3, 'Error: three\n    at x')],
    'web.log': [at(4, 'four'), at(4, 'four'), at(5, 'five', { worker: 2 })],
  }

  it('goes on in log files where memory ends, rotated and compressed ones too, with nothing twice', async () => {
    const { logFeed } = await live({ file: writeFiles(files) })
    logFeed.recent = [at(4, 'four'), at(5, 'five', { worker: 2 })]
    const { stdout } = await supervise('logs', 'web')
    const all = ['zero', 'one', '{"level":50,"msg":"two"}', 'Error: three', '    at x', 'four', 'four']
    expect(linesOf(stdout)).toEqual([...all.map((line) => `web/1 | ${line}`), 'web/2 | five'])
    expect(linesOf((await supervise('logs', '-n', '3')).stdout)).toEqual([
      'web/1 | four',
      'web/1 | four',
      'web/2 | five',
    ])
  })

  it('finds by time, level, worker and pattern in both', async () => {
    const { logFeed } = await live({ file: writeFiles(files) })
    logFeed.recent = [at(5, 'five', { worker: 2 })]
    expect(await find('--grep', '^(one|five|.*x)$')).toEqual([
      'web/1 | one',
      'web/1 | Error: three',
      'web/1 |     at x',
      'web/2 | five',
    ])
    expect(await find('--since', '2026-11-26T10:04:00Z')).toEqual(['web/1 | four', 'web/1 | four', 'web/2 | five'])
    logFeed.recent = []
    expect(await find('--level', 'error')).toEqual(['web/1 | {"level":50,"msg":"two"}'])
    expect(await find('--worker', '2')).toEqual(['web/2 | five'])
  })

  it('asks the supervisor for what was typed, and writes objects with --json', async () => {
    const { asked, logFeed } = await live()
    logFeed.recent = [at(0, '{"level":40}', { level: 'warn' })]
    const typed = 'logs web/1 --level warn --release r1 --group blue --since 2026-11-26T09:00:00Z --json'
    const { stdout } = await supervise(...typed.split(' '))
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, line: '{"level":40}', level: 'warn' })
    expect(asked.find(({ operation }) => operation === 'logs')?.values[0]).toMatchObject({
      level: 'warn',
      release: 'r1',
      group: 'blue',
      worker: 1,
      since: '2026-11-26T09:00:00.000Z',
    })
  })

  it('follows with a pattern, from the last that match on, with nothing twice', async () => {
    const { logFeed } = await live({ file: writeFiles({ 'web.log': [at(0, 'GET old')] }) })
    logFeed.recent = [at(1, 'GET /a'), at(2, 'POST'), at(3, 'GET /b')]
    const { stdout } = await run(['logs', 'web', '-f', '-n', '3', '--grep', 'GET'], {
      environment: standIns.environment,
      onOutput: (text, child) => {
        if (text.includes('/c')) return void child.kill('SIGINT')
        void until(() => logFeed.followers > 0, 10_000, 'a follower').then(() => {
          logFeed.emit(at(4, 'POST'))
          logFeed.emit(at(5, 'GET /c'))
        })
      },
    })
    expect(linesOf(stdout).slice(0, 4)).toEqual(['old', '/a', '/b', '/c'].map((path) => `web/1 | GET ${path}`))
  })

  it('shows with --previous what the crashed worker wrote: from memory, from files, from the record of the crash', async () => {
    const path = writeFiles({ 'web.log': [at(0, 'first', { pid: 7 }), at(1, 'other', { pid: 8 })] })
    const crash = { ...at(2, ''), at: '2026-11-26T10:02:00.000Z', pid: 7, worker: 1, stderr: ['Error: last words'] }
    const { asked, logFeed } = await live({ file: path, crashes: [{ ...crash, pid: 6 }, crash] })
    logFeed.recent = [at(2, 'last', { pid: 7 })]
    expect(linesOf((await supervise('logs', '--previous')).stdout)).toEqual(['web/1 | first', 'web/1 | last'])
    expect(asked.findLast(({ operation }) => operation === 'logs')?.values[0]).toMatchObject({ pid: 7 })
    writeFileSync(path, '')
    logFeed.recent = []
    expect((await supervise('logs', '--previous')).stdout).toBe('web/1 | Error: last words\n')
    const none = await supervise('logs', 'web/2', '--previous')
    expect([none.code, none.stderr]).toEqual([4, expect.stringContaining('worker 2 of "web" has crashed')])
  })

  it('shows what can be read of files that are damaged or not ours', async () => {
    const path = writeFiles({ 'web.log': [at(0, 'good')] })
    const whole = gzipSync(`${JSON.stringify({ a: 1 })}\n`.repeat(10_000))
    writeFileSync(`${path}.2026-11-26T09-00-00.000Z.gz`, whole.subarray(0, 40))
    writeFileSync(`${path}.2026-11-26T08-00-00.000Z.gz`, 'no gzip')
    writeFileSync(path, 'rubbish\n{"time":1}\n[]\nnull\n{"level":"info","app":"web","msg":"ours"}\n', { flag: 'a' })
    await live({ file: path })
    expect(await supervise('logs')).toMatchObject({ code: 0, stdout: 'web/1 | good\n', stderr: '' })
  })

  it.each([
    [['--since', 'yesterdayish'], 2, 'UNKNOWN_TIME', 'neither a duration nor a time'],
    [['--since', '2026-02-30'], 2, 'UNKNOWN_TIME', '10m'],
    [['--grep', '('], 2, 'UNUSABLE_PATTERN', 'Unterminated group'],
    [['--level', 'loud'], 2, 'WRONG_USAGE', 'warn'],
    [['--previous', '-f'], 2, 'WRONG_USAGE', 'Leave --previous or --follow out'],
  ])('refuses %j with a clear message', async (words, code, name, text) => {
    await live()
    const answer = await supervise('logs', ...words)
    expect([answer.code, answer.stderr]).toEqual([code, expect.stringMatching(new RegExp(`\\[${name}\\][^]*${text}`))])
  })

  it('--reopen says what was opened', async () => {
    const { asked } = await live()
    expect((await supervise('logs', 'web', '--reopen')).stdout).toBe('reopened /var/log/web.log\n')
    expect(JSON.parse((await supervise('logs', '--reopen', '--json')).stdout)).toMatchObject({
      reopened: ['/var/log/web.log'],
    })
    expect(asked.map(({ values }) => values)).toEqual([['web'], [null]])
  })
})

describe('supervise logs --release', () => {
  it('says which there are when no app had it, also to whoever would follow it for ever', async () => {
    const { operations } = await live()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the command reads no more of it than this
    Object.assign(operations.releases, { history: () => [{ release: 'r1' }] as unknown as ReleaseStatus[] })
    for (const words of [['web'], ['web', '-f'], []]) {
      // oxlint-disable-next-line no-await-in-loop -- one command after the other
      const { code, stderr } = await supervise('logs', ...words, '--release', 'r99')
      expect(code).toBe(4)
      expect(stderr).toMatch(/Cannot find release "r99" of "web": there is r1\n/)
    }
    expect(await supervise('logs', 'web', '--release', 'r1')).toMatchObject({ code: 0, stderr: '' })
  })
})
