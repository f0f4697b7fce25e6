// docs/how-to/change-a-schema.md, walked from its first step to its last and back as far as there is a way: no request fails,
// and nobody who was written down is lost.

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { copyExample } from '../support/example.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome, TEST_NODE } from '../support/home.ts'
import { statusOf } from '../support/instance-facts.ts'
import { mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const REFUSED = 5

interface Target {
  readonly host: string
  readonly port: number
}

/** Writes one person after the other down, until it is told to end; what was acknowledged must be there then. */
class Writer {
  readonly #target: Target
  readonly written = new Map<number, string>()
  readonly #loop: Promise<void>
  #isEnding = false

  constructor(target: Target) {
    this.#target = target
    this.#loop = this.#run()
    // Told by `end`.
    this.#loop.catch(() => {})
  }

  async end(): Promise<void> {
    this.#isEnding = true
    await this.#loop
  }

  /** So that each release in each role has written somebody. */
  async more(count: number): Promise<void> {
    const aim = this.written.size + count
    await Promise.race([this.#loop, until(() => this.written.size >= aim, 10_000, `${count} more are written`)])
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const name = `Person Number ${this.written.size}`
      this.written.set(await add(this.#target, name), name)
      // As many as the end of the test can read again.
      await pause(10)
    }
  }
}

function add(target: Target, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...target, path: '/people', method: 'POST', agent: false }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve(Number(body))
        else reject(new Error(`Writing ${name} was answered with ${response.statusCode}: ${body}`))
      }, reject)
    })
    request.on('error', reject)
    request.end(name)
  })
}

it('the example change-a-schema loses no request and no data, and refuses each step that would', async () => {
  const home = makeHome()
  const example = copyExample('change-a-schema', home)
  const database = join(home.work, 'people.db')
  const env = { DATABASE: database }
  const config = join(example, 'supervise.config.js')
  const target = { host: '127.0.0.1', port: await freePort() }
  const supervise = await startSupervise([config, '--port', String(target.port), ...QUICK], {
    home,
    env,
  })
  expect(await add(target, 'Ada Lovelace')).toBe(1)
  const common = { path: '/people/1', expect: { text: 'Ada Lovelace\n' } }
  const lanes = [
    { kind: 'keepAlive' as const, connections: 16, ...common },
    { kind: 'once' as const, connections: 4, ...common },
  ]
  const load = startLoad({ target, lanes, ratePerSecond: 500, durationMs: 120_000 })
  const writer = new Writer(target)

  const release = (name: string) => join(example, 'releases', name)
  const must = async (...args: readonly string[]) => {
    mustExit(await supervise.cli(...args), 0)
    await writer.more(10)
  }
  const refuses = async (why: RegExp, ...args: readonly string[]) => {
    const result = await supervise.cli(...args)
    mustExit(result, REFUSED)
    expect(result.stderr).toMatch(why)
  }

  await writer.more(10)
  await refuses(/DATA_VERSIONS_APART.*\n(.*\n)*.*Expand first/, 'deploy', 'people', release('3-switch'))

  await must('deploy', 'people', release('2-expand'))
  await refuses(/Switch first/, 'deploy', 'people', release('4-contract'))

  // While the release before is still watched: a rollback leads to it all the same, as long as it is warm.
  await must('deploy', 'people', release('3-switch'))
  const afterSwitch = await add(target, 'Grace Hopper')
  await must('rollback', 'people')
  expect((await statusOf(supervise)).apps[0]?.groups.green).toMatchObject({ version: '2.0.0', role: 'active' })
  expect((await get(target, `/people/${afterSwitch}`)).text).toBe('Grace Hopper\n')
  await refuses(/data of version 2, which r3 3.0.0 may have written/, 'rollback', 'people', '1.0.0')
  await must('flip', 'people')
  await refuses(/Go back to a release that reads 1 and 2/, 'rollback', 'people', '1.0.0')

  await refuses(/the smoke test of \/readable/, 'deploy', 'people', release('4-contract'))
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll("'10m'", "'0'"))
  execFileSync(TEST_NODE, ['backfill.js'], { cwd: release('3-switch'), env: { ...home.env, ...env }, stdio: 'pipe' })
  await must('deploy', 'people', release('4-contract'))
  await until(() => !columnsOf(database).includes('name'), 20_000, 'the hook contract has run')

  await refuses(/counts on room for data of version 1/, 'rollback', 'people', '3.0.0')
  await refuses(/contract step to 2 was made/, 'rollback', 'people', '2.0.0')
  // Whoever insists meets a release that does not start: the one that serves goes on.
  await refuses(/no such column|has no column/, 'rollback', 'people', '2.0.0', '--force')

  await writer.end()
  mustHaveLostNothing(await load.stop())
  await mustFindAll(target, writer.written)
  expect(await hooksThatFailed(supervise)).toEqual([])
  await supervise.stop()
})

function columnsOf(database: string): readonly unknown[] {
  const opened = new DatabaseSync(database, { readOnly: true })
  try {
    const rows = opened.prepare("SELECT name FROM pragma_table_info('people')").all()
    return rows.map((row) => row['name'])
  } finally {
    opened.close()
  }
}

async function mustFindAll(target: Target, written: ReadonlyMap<number, string>): Promise<void> {
  const lost: string[] = []
  for (const [id, name] of written) {
    const { text: found } = await get(target, `/people/${id}`)
    if (found !== `${name}\n`) lost.push(`${id}: ${name}, and ${found.trim()} was found`)
  }
  expect(lost).toEqual([])
  expect(written.size).toBeGreaterThan(60)
}

async function hooksThatFailed(supervise: Supervise): Promise<readonly string[]> {
  const { stdout } = await supervise.cli('events', '--json', '-n', '1000')
  return stdout.split('\n').filter((line) => line.includes('hookFailed'))
}
