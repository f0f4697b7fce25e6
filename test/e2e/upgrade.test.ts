// Another version of supervise takes over while the app is under load, up and down, and when it cannot, the one before is
// in charge as if nothing had been tried.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { makeHome, type Home } from '../support/home.ts'
import { BROKEN, install, NEWER_FORMATS, type Installation } from '../support/installation.ts'
import { eventsOf, statusOf } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad, type Load } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const SOAK = process.env['SUPERVISE_SOAK'] === '1'

interface Scene {
  readonly home: Home
  readonly place: Installation
  readonly load: Load
  readonly workers: ReadonlySet<number>
}

async function detachedUnderLoad(home: Home, place: Installation): Promise<Scene> {
  const port = await freePort()
  const words = ['start', fixture('hello.js'), '-d', '-n', 'web', '-i', '2', '--port', String(port), ...QUICK]
  mustExit(await place.cli(home, words), 0)
  const lanes = mixedLanes({ webSockets: 0 })
  const load = startLoad({ target: { host: '127.0.0.1', port }, lanes, ratePerSecond: 1_500, durationMs: 600_000 })
  await load.answers(200)
  return { home, place, load, workers: new Set(home.workers()) }
}

async function countOf(home: Home, pattern: RegExp): Promise<number> {
  const { text } = await home.api('GET', '/v1/metrics')
  return Number(pattern.exec(text)?.[1] ?? 0)
}

it('goes to a version with other formats and back, its files replaced each time, and fails no request (S7, S8)', async () => {
  const home = makeHome()
  const older = install(join(home.directory, 'older'), { version: '7.0.0' })
  const newer = install(join(home.directory, 'newer'), { version: '8.0.0', changes: NEWER_FORMATS })
  const place = install(join(home.directory, 'place'), { version: '7.0.0' })
  const { load, workers } = await detachedUnderLoad(home, place)
  const first = await statusOf(home)
  const requests = /supervise_http_requests_total\{[^}]*status_class="2xx"[^}]*\} (\d+)/
  let [counted, pid] = [0, first.pid]

  for (const [version, files] of [
    ['8.0.0', newer],
    ['7.0.0', older],
    ['8.0.0', newer],
  ] as const) {
    place.replaceBy(files)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const other = await place.cli(home, ['status', '--json'])
    expect(other.stderr).toContain(`and this is ${version}; \`supervise upgrade --instance`)
    expect(JSON.parse(other.stdout)).toMatchObject({ pid, schema: 1 })
    // oxlint-disable-next-line no-await-in-loop
    mustExit(await place.cli(home, ['upgrade']), 0)
    // oxlint-disable-next-line no-await-in-loop
    const status = await statusOf(home)
    expect(status).toMatchObject({ version, detached: true, apps: [{ state: 'online' }] })
    expect(status.pid).not.toBe(pid)
    expect(new Set(home.workers())).toEqual(workers)
    // oxlint-disable-next-line no-await-in-loop
    await until(
      () => !isAlive(pid) && !isAlive(first.keptBy.pid ?? 0),
      5_000,
      'the one before and its keeper have gone',
    )
    ;({ pid } = status)
    // oxlint-disable-next-line no-await-in-loop
    const count = await countOf(home, requests)
    expect(count).toBeGreaterThanOrEqual(counted)
    // Workers tell it with their heartbeat.
    // oxlint-disable-next-line no-await-in-loop
    counted = await until(async () => (await countOf(home, requests)) || false, 5_000, 'requests are counted')
  }
  expect(await countOf(home, /supervise_supervisor_upgrades_total\{outcome="upgraded"\} (\d+)/)).toBe(3)
  expect(await countOf(home, /supervise_supervisor_restarts_total (\d+)/)).toBe(0)
  const events = await eventsOf(home, 'supervisorUpgraded')
  expect(events.map(({ data }) => data)).toMatchObject([
    { from: '7.0.0', to: '8.0.0' },
    { to: '7.0.0' },
    { to: '8.0.0' },
  ])

  // Whose agents are those of the first version.
  mustExit(await place.cli(home, ['reload']), 0)
  mustHaveLostNothing(await load.stop())
  mustExit(await place.cli(home, ['stop', '--all']), 0)
  await home.mustBeEmpty()
})

it('that cannot take over leaves the one before in charge, at whatever step it breaks, and fails no request (S7)', async () => {
  const home = makeHome()
  const place = install(join(home.directory, 'place'), { version: '7.0.0' })
  const { load, workers } = await detachedUnderLoad(home, place)
  const { pid, keptBy } = await statusOf(home)
  const cases = [
    ['syntaxError', /SyntaxError/],
    ['exitsBeforeReady', /exited with code 9/],
    ['throwsAfterGo', /broken here/],
    ['diesWithEverything', /ended by SIGKILL/],
    ...(SOAK
      ? [
          ['hangsBeforeReady', /said nothing for 10 s/] as const,
          ['hangsWithEverything', /said nothing for 10 s/] as const,
        ]
      : []),
  ] as const
  for (const [name, why] of cases) {
    const broken = install(join(home.directory, name), { version: '8.0.0', changes: BROKEN[name] })
    // The command is that of the version that runs: the broken one could not even be typed.
    const body = { node: process.execPath, launcher: broken.launcher }
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { status, text } = await home.api('POST', '/v1/upgrade', body)
    expect([name, status]).toEqual([name, 500])
    expect(JSON.parse(text).error).toMatchObject({ code: 'UPGRADE_REFUSED', exitCode: 5 })
    expect(text).toMatch(why)
    // oxlint-disable-next-line no-await-in-loop
    expect(await statusOf(home)).toMatchObject({ pid, version: '7.0.0', apps: [{ state: 'online' }] })
    expect(new Set(home.workers())).toEqual(workers)
    // oxlint-disable-next-line no-await-in-loop
    await load.answers(200)
  }
  expect(await countOf(home, /supervise_supervisor_upgrades_total\{outcome="refused"\} (\d+)/)).toBe(cases.length)
  expect(isAlive(keptBy.pid ?? 0)).toBe(true)
  // It has its workers on the link, and its clock runs.
  mustExit(await place.cli(home, ['reload']), 0)
  const later = new Set(home.workers())
  expect(later.size).toBe(workers.size)

  // It hangs with everything in its hands, and the one that could take that back is killed as well.
  const hanging = install(join(home.directory, 'hanging'), { version: '8.0.0', changes: BROKEN.hangsWithEverything })
  const lost = home.api('POST', '/v1/upgrade', { node: process.execPath, launcher: hanging.launcher }).catch(() => null)
  await until(async () => (await statusOf(home).catch(() => ({ pid }))).pid !== pid, 10_000, 'the new one answers')
  sendIfAlive(pid, 'SIGKILL')
  await lost
  await until(
    async () => (await statusOf(home).catch(() => null))?.version === '7.0.0',
    20_000,
    'the keeper brings one back',
  )
  expect(new Set(home.workers())).toEqual(later)
  mustHaveLostNothing(await load.stop())
  mustExit(await place.cli(home, ['reload']), 0)
  mustExit(await place.cli(home, ['stop', '--all']), 0)
  await home.mustBeEmpty()
})
