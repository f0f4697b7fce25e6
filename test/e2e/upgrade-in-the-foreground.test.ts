// A supervisor in the foreground is upgraded while other things go on: whoever started it notices nothing, and what was under
// way goes on in the new one.

import { writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { UpgradeResult } from '../../src/control/messages.ts'
import { follow } from '../support/follow.ts'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { LAUNCHER, makeHome, TEST_NODE } from '../support/home.ts'
import { install, SLOW } from '../support/installation.ts'
import { crashesOf, statusOf, workersOf } from '../support/instance-facts.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { queueRequests } from '../support/queued-requests.ts'
import { appOf, startReleases } from '../support/release-scene.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const THIS = { node: TEST_NODE, launcher: LAUNCHER }

it('waits for a reload, keeps a release that is watched, and passes signals on to the last of several (S7, S16)', async () => {
  const { supervise, home, load, deploy } = await startReleases({ fixture: 'hello.js', args: ['--bake', '5m'] })
  const first = supervise.pid
  const reload = supervise.cli('reload')
  await until(async () => (await appOf(home)).state === 'reloading', 10_000, 'it reloads')
  const both = await Promise.all([1, 2].map(() => home.api('POST', '/v1/upgrade', THIS)))
  const [upgraded, refused] = both.toSorted((one, other) => one.status - other.status)
  expect([upgraded?.status, refused?.status]).toEqual([200, 409])
  mustExit(await reload, 0)
  const { pid, newPid }: UpgradeResult = JSON.parse(upgraded?.text ?? '')
  expect([pid, supervise.exit]).toEqual([first, null])

  await deploy('2')
  const before = await workersOf(home)
  const [watch, events] = [follow(home, ['rollout', '--watch']), follow(home, ['events', '-f'])]
  await until(() => watch.stderr.includes('r1 → r2'), 10_000, 'the rollout is followed')
  await events.waitFor(/r2/)
  mustExit(await supervise.cli('upgrade'), 0)
  const app = await appOf(home)
  expect([(await statusOf(home)).pid === newPid, app.rollout?.step, app.groups.blue?.role]).toEqual([
    false,
    'baking',
    'standby',
  ])
  expect((await workersOf(home)).map((worker) => worker.pid)).toEqual(before.map((worker) => worker.pid))
  await events.waitFor(/took over from version[^]*took over from version/)
  mustExit(await supervise.cli('promote'), 0)
  expect([await watch.ended, watch.stdout]).toEqual([0, expect.stringContaining('promoted')])
  for (const each of [watch, events])
    expect(each.stderr).toContain('Another supervisor has taken over; following it.\n')
  mustHaveLostNothing(await load.stop())

  // Sent to what a shell or a container knows; the second one would mean "now".
  expect(await supervise.stop('SIGINT')).toEqual({ code: 0, signal: null })
  expect(supervise.stdout).toMatch(/"stopRequested".*"signal SIGINT"/)
})

it('takes sockets over that no worker has, and goes on starting what crashes; a stop goes before it (S7, A3)', async () => {
  const home = makeHome()
  const port = await freePort()
  const [down, path, script] = [join(home.work, 'down'), join(home.work, 'web.sock'), join(home.work, 'app.js')]
  const listen = `require('node:http').createServer((_, response) => response.end('hello\\n')).listen(${JSON.stringify(path)})`
  writeFileSync(
    script,
    `if (require('node:fs').existsSync(${JSON.stringify(down)})) process.exit(3)\n${listen}\nrequire(${JSON.stringify(fixture('hello.js'))})\n`,
  )
  const args = [
    script,
    '-n',
    'web',
    '-i',
    '2',
    '--port',
    String(port),
    '--backoff-first',
    '100ms',
    '--max-restarts',
    '100',
  ]
  const supervise = await startSupervise(args, { home })
  writeFileSync(down, '')
  mustExit(await supervise.cli('signal', 'web', 'SIGKILL'), 0)
  const [tcp, unix] = [await queueRequests({ host: '127.0.0.1', port }, 10), await queueRequests({ path }, 10)]
  await until(async () => (await crashesOf(home)).length >= 4, 10_000, 'what is started again crashes, too')
  const { status, text } = await home.api('POST', '/v1/upgrade', THIS)
  expect([status, text]).toEqual([200, expect.any(String)])
  const { newPid } = JSON.parse(text)
  await until(async () => (await statusOf(home).catch(() => null))?.pid === newPid, 5_000, 'the new one answers')
  rmSync(down)
  expect(await Promise.all([tcp.answered(), unix.answered()])).toEqual([10, 10])
  await supervise.online()

  // In the middle of a hand-over, to the one that has let go: whoever is in charge then obeys.
  const slow = install(join(home.directory, 'slow'), { version: '9.0.0', changes: SLOW })
  const upgrade = home.api('POST', '/v1/upgrade', { ...THIS, launcher: slow.launcher })
  const isThere = async () => (await statusOf(home).catch(() => null))?.version === '9.0.0'
  await until(isThere, 10_000, 'the slow one answers')
  supervise.signal('SIGTERM')
  const [answer, exit] = await Promise.all([upgrade, supervise.ended()])
  expect(answer.status).toBe(200)
  expect(exit).toEqual({ code: 0, signal: null })
  await supervise.mustHaveNoOrphan()
})
