// What hooks are asked and told, as docs/how-to/deploy.md says it: when, with which fields, in which environment.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome, type Home } from '../support/home.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease, ROOT } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const REFUSED = 5
const HOOKS = ['pre-rollout', 'confirm-promotion', 'post-rollout', 'rollback', 'event', 'expand', 'contract']

interface Payload {
  readonly hook: string
  readonly release: string
  readonly step: string
  readonly at: string
}

interface Told {
  readonly payload: Payload
  /** SUPERVISE_HOOK. */
  readonly named: string
  readonly cwd: string
}

/** Whose hooks write down what they are told. */
class Log {
  readonly #file: string
  readonly command: string

  constructor(home: Home) {
    this.#file = join(home.work, 'told')
    const script = join(home.work, 'tell.cjs')
    // One write each, since two hooks may be told at the same time.
    const told = '{ payload: JSON.parse(fs.readFileSync(0)), named: process.env.SUPERVISE_HOOK, cwd: process.cwd() }'
    writeFileSync(
      script,
      `const fs = require('fs'); fs.appendFileSync('${this.#file}', JSON.stringify(${told}) + '\\n')`,
    )
    this.command = `node ${script}`
  }

  all(): readonly Told[] {
    const lines = readFileSync(this.#file, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean)
    return lines.map((line): Told => JSON.parse(line))
  }

  of(release: string): readonly Payload[] {
    return this.all().flatMap(({ payload }) => (payload.release === release ? [payload] : []))
  }

  hooksOf(release: string): ReadonlySet<string> {
    return new Set(this.of(release).map(({ hook }) => hook))
  }

  async has(hook: string, step: string, release: string): Promise<Payload> {
    const look = () => this.of(release).find((payload) => payload.hook === hook && payload.step === step)
    return await until(look, 15_000, `the hook ${hook} is told of ${release} at ${step}`)
  }
}

it('hooks get what the page about deploying says, in its words and at its times', async () => {
  const home = makeHome()
  const log = new Log(home)
  const release = (version: string, fixture: string, data: object) => {
    const directory = join(home.work, `release-${version}`)
    makeRelease(directory, { fixture, version })
    writeFileSync(join(directory, 'supervise.release.json'), JSON.stringify({ data }))
    return directory
  }
  const first = release('1', 'hello.js', { writes: 1, reads: [1] })
  const app = ['-n', 'web', '-i', '1', '--cwd', first, '--port', String(await freePort())]
  const byHand = ['--no-auto-promote', '--rollback-window', '0', '--bake', '0']
  const flags = [...byHand, ...HOOKS.flatMap((name) => [`--hook-${name}`, log.command])]
  const supervise = await startSupervise([join(first, 'app.js'), ...app, ...QUICK, ...flags], { home })

  mustExit(await supervise.cli('deploy', 'web', release('2', 'hello.js', { writes: 1, reads: [1, 2] })), 0)
  mustExit(await supervise.cli('promote', 'web'), 0)
  await log.has('event', 'done', 'r2')
  await log.has('post-rollout', 'retiring', 'r2')
  expect(log.hooksOf('r2')).toEqual(new Set(['pre-rollout', 'expand', 'confirm-promotion', 'event', 'post-rollout']))
  const events = log.of('r2').filter(({ hook }) => hook === 'event')
  // Two may be told at the same time: `at` says which was first.
  const steps = events.toSorted((one, other) => (one.at < other.at ? -1 : 1)).map(({ step }) => step)
  expect(steps).toEqual(['ready', 'smoking', 'awaiting', 'flipping', 'baking', 'retiring', 'endingOld', 'done'])

  const broken = release('3', 'throws-at-boot.js', { writes: 1, reads: [1, 2] })
  mustExit(await supervise.cli('deploy', 'web', broken), REFUSED)
  await log.has('event', 'done', 'r3')
  const why: unknown = expect.stringContaining('worker 1')
  expect(await log.has('rollback', 'endingNew', 'r3')).toMatchObject({ from: 'r2', outcome: 'failed', why })
  expect(log.hooksOf('r3')).toEqual(new Set(['pre-rollout', 'event', 'rollback']))

  const fourth = release('4', 'hello.js', { writes: 2, reads: [1, 2] })
  mustExit(await supervise.cli('deploy', 'web', fourth, '--strategy', 'rolling'), 0)
  expect(await log.has('post-rollout', 'done', 'r4')).toMatchObject({ from: 'r2', outcome: 'promoted', why: null })
  expect(log.hooksOf('r4')).toEqual(new Set(['pre-rollout', 'confirm-promotion', 'post-rollout']))

  for (const { payload, named, cwd } of log.all()) {
    const version = payload.release.slice(1)
    // Also of a release that is gone already: by its own version and path.
    expect(payload).toMatchObject({ app: 'web', version, path: join(home.work, `release-${version}`), hook: named })
    expect(new Set(Object.keys(payload))).toEqual(fieldsInDocs())
    expect(cwd).toMatch(new RegExp(`^${home.work}/release-[1-4]$`))
  }
  await supervise.stop()
})

/** The rows of the table of fields. */
function fieldsInDocs(): ReadonlySet<string> {
  const page = readFileSync(join(ROOT, 'docs/how-to/deploy.md'), 'utf8')
  const [, table = ''] = /\n\| field \|.*\n((?:\|.*\n)+)/.exec(page) ?? []
  return new Set([...table.matchAll(/^\| `(\w+)`/gm)].map(([, field = '']) => field))
}
