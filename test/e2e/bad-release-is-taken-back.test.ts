// A release that does worse than the one before it, once it has the public traffic, is taken back by itself; one that is no
// worse is promoted. What another group does never touches the one that serves.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AppStatus, ReleaseStatus } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { statusOf } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad, type Load, type Report } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

/** Connections of the load, some of which pipeline three requests. */
const MOST_UNDER_WAY = 80

interface Faults {
  readonly every?: number
  readonly live?: boolean
}

interface Scene {
  readonly supervise: Supervise
  readonly load: Load
  release(version: string, faults: Faults, fixture?: string): string
  version(): Promise<string>
}

/** Release 1 serves under load; workers tell what they answered four times a second. */
async function startScene(first: Faults, args: readonly string[]): Promise<Scene> {
  const home = makeHome()
  const release: Scene['release'] = (version, faults, fixture = 'answers-badly.js') => {
    const directory = join(home.work, 'releases', version)
    mkdirSync(directory, { recursive: true })
    makeRelease(directory, { fixture, version })
    writeFileSync(join(directory, 'faults.json'), JSON.stringify(faults))
    return directory
  }
  const port = await freePort()
  const script = join(release('1', first), 'app.js')
  const all = [script, '-n', 'web', '-i', '2', '--port', String(port), ...QUICK, '--hang-timeout', '5s', ...args]
  const supervise = await startSupervise(all, { home })
  const target = { host: '127.0.0.1', port }
  const load = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), ratePerSecond: 700, durationMs: 120_000 })
  await load.answers(1_000)
  return { supervise, load, release, version: async () => String((await get(target)).headers['x-release']) }
}

async function historyOf(supervise: Supervise, name: string): Promise<ReleaseStatus> {
  const { stdout } = await supervise.cli('history', 'web', name, '--json')
  const { release }: { release: ReleaseStatus } = JSON.parse(stdout)
  return release
}

async function appOf(supervise: Supervise): Promise<AppStatus> {
  const [app] = (await statusOf(supervise)).apps
  if (app === undefined) throw new Error('There is no app')
  return app
}

async function ended(supervise: Supervise, name: string): Promise<ReleaseStatus> {
  const isEnded = async () => {
    const release = await historyOf(supervise, name)
    return release.outcome !== null && release
  }
  return until(isEnded, 30_000, `${name} is promoted or taken back`)
}

/** The only requests that failed are those that an app has answered with 5xx. */
function mustHaveLostOnlyAnswers({ failures, failed, ok, firstFailures }: Report): void {
  const { unexpectedStatus, ...others } = failures
  expect(ok).toBeGreaterThan(0)
  expect({ others: Object.values(others).filter((count) => count > 0), firstFailures }).toMatchObject({ others: [] })
  expect(failed).toBe(unexpectedStatus)
}

it('takes a release back that answers more 5xx than the old one did, and loses nothing else (B6, R4)', async () => {
  const { supervise, load, release, version } = await startScene({}, ['--bake', '60s', '--smoke', 'echo tried it'])
  mustExit(await supervise.cli('deploy', 'web', release('2', { every: 5 })), 0)
  const { rollout } = await appOf(supervise)
  if (rollout?.step === 'baking') expect(rollout.watch).toMatchObject({ bakeSeconds: 60, crashes: 0 })
  const { outcome, why, watch, smoke } = await ended(supervise, 'r2')
  expect(await version()).toBe('1')
  expect([outcome, watch?.verdict]).toEqual(['rolledBack', 'fail'])
  expect(why).toMatch(/^\d+ of \d+ requests were answered with 5xx \(.+ %\), and at most .+ % of the old release's$/)
  expect(watch?.old.requests).toBeGreaterThan(500)
  expect(smoke).toEqual({ passed: true, why: null, output: 'tried it\n' })
  const { stdout } = await supervise.cli('history', 'web', 'r2')
  expect(stdout).toContain(why)
  expect((await supervise.cli('events', '--lines', '200')).stdout).toContain(`goingBack (rolledBack): ${why}`)
  await load.answers(200)
  const report = await load.stop()
  mustHaveLostOnlyAnswers(report)
  expect(report.failures.unexpectedStatus).toBeGreaterThanOrEqual(watch?.serverErrors ?? Infinity)
  await supervise.stop()
})

it('takes a release back whose liveness probe fails, and keeps it up to be looked at (B6)', async () => {
  const liveness = ['--liveness-http', '/livez', '--liveness-every', '200ms', '--liveness-failures', '50']
  const args = [...liveness, '--bake', '60s', '--abort-delay', '5m', '--bake-min-requests', '1']
  const { supervise, load, release, version } = await startScene({}, args)
  // The probes fail from the start; only once it serves do they count.
  mustExit(await supervise.cli('deploy', 'web', release('2', { live: false })), 0)
  const { outcome, why } = await ended(supervise, 'r2')
  expect([outcome, why]).toEqual(['rolledBack', expect.stringMatching(/^[12] workers? failed the health probe$/)])
  expect(await version()).toBe('1')
  const { rollout, groups } = await appOf(supervise)
  expect([rollout?.step, groups.green?.release]).toEqual(['withdrawn', 'r2'])
  mustExit(await supervise.cli('abort', 'web'), 0)
  await until(async () => (await appOf(supervise)).groups.green === null, 20_000, 'the refused release has ended')
  mustHaveLostNothing(await load.stop())
  await supervise.stop()
})

it('takes a release back that crashes on its first requests, which are all that is lost (B6, R4)', async () => {
  const { supervise, load, release, version } = await startScene({}, ['--bake', '60s'])
  await supervise.cli('deploy', 'web', release('2', {}, 'crashes-on-first-request.js'))
  const { outcome, why } = await ended(supervise, 'r2')
  expect(['rolledBack', 'failed']).toContain(outcome)
  expect(why).toMatch(/worker [12] exited with code 1/)
  await until(async () => (await version().catch(() => '')) === '1', 10_000, 'the old release serves again')
  await load.answers(200)
  const { reset, emptyReply, unexpectedStatus, truncated, ...others } = (await load.stop()).failures
  // Each of the two workers had at most what all connections of the client had under way; some were told so by a 502.
  expect(reset + emptyReply + unexpectedStatus + truncated).toBeLessThanOrEqual(2 * MOST_UNDER_WAY)
  expect(Object.values(others).reduce((sum, count) => sum + count, 0) - others.pipelineCut).toBe(0)
  await supervise.stop()
})

it('promotes a release that answers no more 5xx than the old one did, also over a kill of its supervisor (B6, S3)', async () => {
  const args = ['--bake', '6s', '--bake-min-requests', '2000', '--rollback-window', '0']
  const scene = await startScene({ every: 50 }, [...args, '--hook-contract', 'cat >> "$TOLD"', '--env', 'TOLD=told'])
  const { load, release, version } = scene
  let { supervise } = scene
  const { home } = supervise
  const second = release('2', { every: 50 })
  writeFileSync(join(second, '../1/supervise.release.json'), '{"data":{"writes":7,"reads":[6,7]}}')
  writeFileSync(join(second, 'supervise.release.json'), '{"data":{"writes":7,"reads":[7]}}')
  mustExit(await supervise.cli('deploy', 'web', second), 0)
  const before = (await appOf(supervise)).rollout?.watch
  supervise.signal('SIGKILL')
  await supervise.ended()
  supervise = await startSupervise([join(home.work, 'releases/1/app.js'), '-n', 'web'], { home })
  const { rollout } = await appOf(supervise)
  // What the old release did in the hour before is not forgotten with the supervisor that saw it.
  expect([rollout?.step, rollout?.watch?.old.requests]).toEqual(['baking', before?.old.requests])
  const { outcome, why, watch } = await ended(supervise, 'r2')
  expect([outcome, await version()]).toEqual(['promoted', '2'])
  expect(why).toMatch(/^nothing was found: \d+ requests seen, \d+ of them answered with 5xx$/)
  expect(watch?.requests).toBeGreaterThanOrEqual(2000)
  expect(watch?.serverErrors).toBeGreaterThan(0)
  // The old release is gone for good, and so is the room for its data: once, whichever supervisor was told of it.
  await until(async () => (await historyOf(supervise, 'r2')).contract === 'done', 20_000, 'the contract step is made')
  mustHaveLostOnlyAnswers(await load.stop())
  await supervise.stop()
  supervise = await startSupervise([join(second, 'app.js'), '-n', 'web'], { home })
  expect(await historyOf(supervise, 'r2')).toMatchObject({ role: 'active', contract: 'done' })
  const lines = readFileSync(join(home.work, 'told'), 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { hook: 'contract', release: 'r2', from: 'r1' },
  ])
  await supervise.stop()
})

it('leaves the group that serves alone while the other one crashes until it has failed (C4, B6)', async () => {
  const args = ['--no-auto-promote', '--max-restarts', '2', '--backoff-first', '50ms']
  const { supervise, load, release, version } = await startScene({}, args)
  const before = (await appOf(supervise)).groups.blue?.workers.map(({ pid, restarts }) => ({ pid, restarts }))
  const second = release('2', {})
  mustExit(await supervise.cli('deploy', 'web', second), 0)
  writeFileSync(join(second, 'crash'), '')
  const standby = async () => (await appOf(supervise)).groups.green?.workers ?? []
  const hasFailed = async () => (await standby()).some(({ state }) => state === 'failed')
  await until(hasFailed, 30_000, 'a worker of the new release has failed')
  const { groups, state } = await appOf(supervise)
  expect(state).toBe('online')
  expect(groups.blue?.workers.map(({ pid, restarts }) => ({ pid, restarts }))).toEqual(before)
  expect(groups.blue?.workers.every((worker) => worker.state === 'serving' && worker.crashes === 0)).toBe(true)
  expect(await version()).toBe('1')
  await load.answers(200)
  mustHaveLostNothing(await load.stop())
  await supervise.stop()
})
