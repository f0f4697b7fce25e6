import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { LogConfig } from '../../src/config/app-config.ts'
import type { LogRecord } from '../../src/control/messages.ts'
import { appLineFormat } from '../../src/telemetry/app-lines.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { LogDesk } from '../../src/telemetry/log-desk.ts'
import type { Outlet } from '../../src/telemetry/outlet.ts'
import { OwnLog } from '../../src/telemetry/own-log.ts'
import { Labels } from '../../src/telemetry/pretty.ts'
import { Sink } from '../../src/telemetry/sink.ts'
import { recordOf } from '../../src/telemetry/stored-lines.ts'
import { until } from '../support/until.ts'

const directory = mkdtempSync(join(tmpdir(), 'log-desk-'))
const desks: LogDesk[] = []
const PLAIN: LogConfig = { level: null, file: null, stdout: null, multiline: true, redact: [] }
const ALL = { app: null, worker: null, stream: null, release: null, group: null, pid: null, since: null, level: null }

afterEach(async () => {
  await Promise.all(desks.splice(0).map((desk) => desk.close(1000)))
})

function makeDesk({
  prioritize = false,
  isTerminal = false,
  outlet,
}: { prioritize?: boolean; isTerminal?: boolean; outlet?: Outlet } = {}) {
  let written = ''
  const writes: Outlet = {
    write: (bytes, done) => {
      written += bytes.toString()
      done(null, bytes.length)
    },
    close: () => {},
  }
  const labels = new Labels(false)
  const sink = new Sink({ outlet: outlet ?? writes })
  const format = appLineFormat('json', labels)
  const desk = new LogDesk({
    console: { sink, isTerminal, format, prioritize },
    formatJson: format,
    fileReports: () => ({ onTrouble: () => {}, onRecovery: () => {}, dropNotice: () => 'dropped\n' }),
  })
  desks.push(desk)
  const own = new OwnLog({
    format: 'json',
    labels,
    sink,
    prioritize,
    configOf: (app) => desk.configOf(app),
    takeOwn: (app, json) => desk.takeOwn(app, json),
  })
  const stdout = async () => {
    await sink.flush(1000)
    return written
  }
  return { desk, events: new EventLog({ logger: own }), stdout }
}

function file(name: string): LogConfig['file'] {
  return { path: join(directory, name), maxSizeBytes: 0, everyMs: 0, keep: 1, maxTotalBytes: 0, gzip: false }
}

function record(line: string, more: Partial<LogRecord> = {}): LogRecord {
  const origin = { app: 'web', group: 'blue', release: 'r1', worker: 1, pid: 7, stream: 'stdout' } as const
  return { time: '2026-11-26T10:00:00.000Z', ...origin, line, ...more }
}

const linesOf = (text: string) => text.split('\n').filter(Boolean)

describe('LogDesk', () => {
  it('holds lines that carry a level to the level of their app, and lets all others pass', async () => {
    const { desk, events, stdout } = makeDesk()
    desk.configure('web', { ...PLAIN, level: 'warn' })
    for (const line of ['{"level":30}', '{"level":40}', 'plain', '{"level":"debug"}']) desk.take(record(line))
    desk.take(record('{"level":30}', { app: 'api' }))
    events.record({ type: 'started', app: 'web', text: 'quiet', cause: 'c' }, 'info')
    events.record({ type: 'started', app: 'web', text: 'loud', cause: 'c' }, 'warn')
    events.record({ type: 'started', app: null, text: 'instance', cause: 'c' }, 'info')
    const shown = linesOf(await stdout()).map((line) => JSON.parse(line))
    expect(shown.map(({ level, msg }) => level ?? msg)).toEqual([40, 'plain', 30, 'warn', 'info'])
    expect(desk.feed({ ...ALL, lines: 10 }).recent.map(({ level }) => level)).toEqual(['warn', undefined, 'info'])
    expect(desk.counts().apps.get('web')?.stdout).toEqual({ lines: 4, bytes: 50 })
  })

  it("shows more of the supervisor's own about an app that asks for it, with fields hidden", async () => {
    const { desk, events, stdout } = makeDesk()
    desk.configure('web', { ...PLAIN, level: 'debug', redact: ['data.token', 'cause'] })
    events.record({ type: 'started', app: 'web', text: 'x', cause: 'by me', data: { token: 's3cret', n: 1 } }, 'debug')
    expect(JSON.parse(await stdout())).toMatchObject({ cause: '[Redacted]', data: { token: '[Redacted]', n: 1 } })
  })

  it('writes to a file instead of stdout, to both on a terminal, and as it is told', async () => {
    for (const [isTerminal, stdout, expected] of [
      [false, null, 0],
      [true, null, 1],
      [false, true, 1],
      [true, false, 0],
    ] as const) {
      const made = makeDesk({ isTerminal })
      const place = file(`where-${isTerminal}-${stdout}.log`)
      made.desk.configure('web', { ...PLAIN, file: place, stdout })
      made.desk.take(record('line'))
      made.events.record({ type: 'started', app: 'web', text: 'own', cause: 'c' })
      await until(() => linesOf(readFileSync(place?.path ?? '', 'utf8')).length === 2, 5000, 'both lines in the file')
      expect(linesOf(await made.stdout()).filter((line) => line.includes('"line"')).length).toBe(expected)
    }
  })

  it('gives apps that name the same file one writer, and closes files that nobody names', async () => {
    const { desk } = makeDesk()
    const place = file('shared.log')
    desk.configure('web', { ...PLAIN, file: place })
    desk.configure('api', { ...PLAIN, file: place })
    desk.take(record('one'))
    desk.take(record('two', { app: 'api' }))
    await until(() => linesOf(readFileSync(place?.path ?? '', 'utf8')).length === 2, 5000, 'both lines')
    expect([...desk.counts().sinks.keys()]).toEqual(['stdout', place?.path])
    expect(await desk.reopen('api')).toEqual([place?.path])
    desk.configure('web', PLAIN)
    desk.forget('api')
    expect([...desk.counts().sinks.keys()]).toEqual(['stdout'])
    await expect(desk.reopen(null)).rejects.toMatchObject({ code: 'NO_LOG_FILES' })
  })

  it('counts lines and bytes as they were written', () => {
    const { desk } = makeDesk()
    desk.take(record('Error: x\n    at y\n    at z'))
    desk.take(record('é', { continues: true }))
    desk.take(record('€'))
    const written = 'Error: x\n    at y\n    at z\né€\n'
    expect(desk.counts().apps.get('web')?.stdout).toEqual({ lines: 4, bytes: Buffer.byteLength(written) })
  })

  it('goes on counting what a file had dropped when it is closed', async () => {
    const { desk } = makeDesk()
    // A directory in its place: nothing can be written to it.
    const place = { ...file('in-the-way.log')!, path: directory }
    desk.configure('web', { ...PLAIN, file: place })
    for (let count = 0; count < 20_000; count += 1) desk.take(record('x'.repeat(1000)))
    const { droppedLines } = desk.counts()
    expect(droppedLines).toBeGreaterThan(0)
    desk.forget('web')
    expect(desk.counts().droppedLines).toBeGreaterThanOrEqual(droppedLines)
    await desk.close(100)
    expect(desk.counts().droppedLines).toBeGreaterThanOrEqual(droppedLines)
  })

  it('says under journald how urgent each line is', async () => {
    const { desk, events, stdout } = makeDesk({ prioritize: true })
    desk.take(record('plain'))
    desk.take(record('bad', { stream: 'stderr' }))
    desk.take(record('{"level":20}'))
    events.record({ type: 'started', app: null, text: 'x', cause: 'c' }, 'warn')
    expect(linesOf(await stdout()).map((line) => line.slice(0, 4))).toEqual(['<6>{', '<3>{', '<7>{', '<4>{'])
  })

  it('S14: a reader that has stopped costs bounded memory, and what is lost is counted', () => {
    const { desk } = makeDesk({ outlet: { write: () => {}, close: () => {} } })
    const line = 'x'.repeat(1000)
    for (let count = 0; count < 40_000; count += 1) desk.take(record(line))
    const stdout = desk.counts().sinks.get('stdout')
    expect(stdout?.waitingBytes).toBeLessThanOrEqual(17 * 1024 * 1024)
    expect(stdout?.droppedLines).toBeGreaterThan(20_000)
    expect(desk.counts().droppedLines).toBe(stdout?.droppedLines)
    expect(desk.feed({ ...ALL, lines: 100_000 }).recent.length).toBeLessThanOrEqual(5000)
  })
})

describe('recordOf()', () => {
  const format = appLineFormat('json', new Labels(false))

  it.each([
    record('plain "text"'),
    record('Error: x\n    at y', { stream: 'stderr' }),
    record('part', { continues: true }),
    record('{"level":30,"msg":"hi"}', { level: 'info' }),
    record('{"level":30,"time":1532081490743,"pid":7,"msg":"x","app":"own","worker":"w"}', { level: 'info' }),
    record('{"time":"2026-11-26T10:00:00.000Z","app":"own","msg":"last"}'),
    record('{}'),
    record('{"nested":{"app":"web"}}'),
  ])('reads back what was written: %j', (written) => {
    expect(recordOf(format(written).trimEnd())).toEqual(written)
  })

  it.each([
    '',
    'text',
    '[]',
    '{"app":"web"}',
    '{"level":"info","time":"t","app":"web","worker":1,"release":"r1","group":"blue","msg":"own"}',
  ])("takes nothing else for an app's line: %s", (text) => {
    expect(recordOf(text)).toBeNull()
  })
})
