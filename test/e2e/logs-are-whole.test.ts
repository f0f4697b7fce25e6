// What workers write is neither torn nor lost on disk, and no disk can stop an app. (What nobody reads from stdout is looked at
// in control-under-fire.test.ts.)

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { get } from '../support/get.ts'
import { makeHome } from '../support/home.ts'
import { eventsOf, untilEvent, workersOf } from '../support/instance-facts.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

interface Written {
  readonly msg?: string
  readonly [field: string]: unknown
}

describe('log files', () => {
  it('have every record whole, rotated and compressed, and `supervise logs` finds them all again', async () => {
    const home = makeHome()
    const path = join(home.work, 'logs/web.log')
    const files = ['--log-file', 'logs/{app}.log', '--log-max-size', '64K', '--log-keep', '1000']
    const { supervise, port } = await startApp(fixture('talks.js'), ['-i', '1', '-n', 'web', ...files], { home })
    const ask = (request: string) => get({ host: '127.0.0.1', port }, request)
    const names = () => readdirSync(join(home.work, 'logs')).toSorted()
    const read = (name: string) => {
      const bytes = readFileSync(join(home.work, 'logs', name))
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    }
    const written = (): Written[] =>
      [...names().filter((name) => name !== 'web.log'), 'web.log'].flatMap((name) =>
        read(name)
          .split('\n')
          .filter(Boolean)
          .map((line): Written => JSON.parse(line)),
      )

    await ask('/json')
    await ask('/trace')
    for (let from = 0; from < 6000; from += 1000) await ask(`/say?n=1000&from=${from}`)
    await until(() => written().some(({ msg }) => msg === 'line 5999.'), 10_000, 'the last line is in the file')
    await until(() => names().every((name) => /log$|gz$/.test(name)), 10_000, 'what was rotated is compressed')
    expect(names().length).toBeGreaterThan(5)
    const records = written()
    expect(records.flatMap(({ msg }) => (msg?.startsWith('line ') ? [msg] : []))).toEqual(
      Array.from({ length: 6000 }, (_, line) => `line ${line}.`),
    )
    expect(records.find(({ msg }) => msg === 'careful')).toMatchObject({ level: 40, id: 7, app: 'web', worker: 1 })
    const trace = records.find(({ msg }) => msg?.includes('Error: traced'))
    expect(trace?.msg).toMatch(/^Error: traced\n {4}at [^]+\[cause\]: Error: the cause\n[^]+\}$/)
    expect(trace).toMatchObject({ stream: 'stderr', app: 'web', group: 'blue', release: 'r1' })
    // Not on stdout too, but for what the supervisor says itself.
    expect(supervise.stdout).not.toContain('line 5999.')

    const find = async (...words: string[]) => (await supervise.cli('logs', 'web', ...words)).stdout
    // More than is in memory.
    expect((await find('-n', '10000', '--grep', '^line \\d+\\.$')).trim().split('\n').length).toBe(6000)
    expect(await find('--level', 'warn', '--grep', 'careful')).toContain('"msg":"careful","id":7}')

    await ask('/crash')
    await untilEvent(supervise, 'workerCrashed')
    const previous = await find('--previous', '-n', '5')
    expect(previous).toContain('web/1 | last words\n')
    expect(previous).toMatch(/throw new Error\('crashed on purpose'\)\n[^]*Error: crashed on purpose\nweb\/1 \| {5}at /)

    renameSync(path, `${path}.moved`)
    expect((await supervise.cli('logs', '--reopen')).stdout).toBe(`reopened ${path}\n`)
    await until(async () => (await workersOf(supervise))[0]?.state === 'serving', 15_000, 'the worker is back')
    await ask('/say?from=7000')
    await until(() => read('web.log').includes('line 7000.'), 10_000, 'the new file has the new line')
    await supervise.stop()
  })

  it('on a full disk are told of once, cost the app nothing, and go on by themselves', async () => {
    const home = makeHome()
    const directory = join(home.work, 'logs')
    mkdirSync(directory)
    // The kernel's own full disk.
    symlinkSync('/dev/full', join(directory, 'web.log'))
    const { supervise, port } = await startApp(fixture('talks.js'), ['-i', '1', '--log-file', 'logs/web.log'], { home })
    await get({ host: '127.0.0.1', port }, '/say?n=100')
    const failed = await untilEvent(supervise, 'logFileFailed')
    expect(failed.text).toBe(`${directory}/web.log cannot be written: the disk is full`)
    for (let request = 0; request < 20; request += 1)
      expect((await get({ host: '127.0.0.1', port }, '/say?from=100')).status).toBe(200)
    rmSync(join(directory, 'web.log'))
    await untilEvent(supervise, 'logFileRecovered')
    await until(() => readFileSync(join(directory, 'web.log'), 'utf8').includes('"line 99."'), 10_000, 'all lines')
    // The directory itself goes, and something else is in its place for a while.
    rmSync(directory, { recursive: true })
    symlinkSync('/dev/null', directory)
    await until(
      async () => {
        await get({ host: '127.0.0.1', port }, '/say?from=200')
        return (await eventsOf(supervise, 'logFileFailed')).length === 2
      },
      10_000,
      'told again',
    )
    rmSync(directory)
    await until(async () => (await eventsOf(supervise, 'logFileRecovered')).length === 2, 10_000, 'it is well again')
    await until(() => readFileSync(join(directory, 'web.log'), 'utf8').includes('"line 200."'), 10_000, 'lines again')
    await supervise.stop()
  })
})
