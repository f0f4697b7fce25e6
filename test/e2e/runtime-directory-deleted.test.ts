// Somebody cleans up too much: the runtime directory is deleted under a supervisor that lives, or after its death.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { eventsOf, untilEvent } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

it('a supervisor whose directory was deleted can be reached again, and what crashes is replaced', async () => {
  const { supervise, target } = await startApp(fixture('hello.js'))
  const before = await supervise.pids()
  const directory = supervise.home.instanceDirectory()
  rmSync(directory, { recursive: true })
  for (const pid of before) sendIfAlive(pid, 'SIGKILL')

  await until(
    () => ['control.sock', 'link.sock'].every((name) => existsSync(join(directory, name))),
    10_000,
    'both sockets',
  )
  expect((await get(target)).status).toBe(200)
  await untilEvent(supervise, 'runtimeDeleted')
  await supervise.online()
  expect((await supervise.pids()).filter((pid) => before.includes(pid))).toEqual([])
  mustExit(await supervise.cli('reload'), 0)
  await supervise.stop()
})

/** An app of each kind: a Node worker dials in and says who it is, a command does not. */
function twoKinds(port: number): Readonly<Record<string, unknown>> {
  const web = {
    name: 'web',
    script: fixture('hello.js'),
    workers: 2,
    env: { PORT: String(port) },
    killTimeout: '3s',
  }
  return { instance: 'gone', apps: [web, { name: 'sleeper', command: ['sleep', '1000'], ready: '0s' }] }
}

const byNumber = (a: number, b: number): number => a - b

async function wiped() {
  const home = makeHome()
  const port = await freePort()
  const config = join(home.work, 'two.json')
  writeFileSync(config, JSON.stringify(twoKinds(port)))
  const first = await startSupervise([config], { home })
  const pids = [...(await first.pids('web')), ...(await first.pids('sleeper'))]
  first.signal('SIGKILL')
  await first.ended()
  rmSync(home.instanceDirectory('gone'), { recursive: true })
  return { home, config, pids, target: { host: '127.0.0.1', port } }
}

it('a directory that is wiped when its supervisor is dead: the next one takes its workers back, nothing is doubled (S2, S4)', async () => {
  const { home, config, pids, target } = await wiped()
  expect((await home.cli(['status'])).stdout).toMatch(/Instance gone: its supervisor is dead, 3 workers still run/)
  const load = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), ratePerSecond: 1_000, durationMs: 60_000 })
  await load.answers(200)

  const second = await startSupervise([config], { home })
  expect([...(await second.pids('web')), ...(await second.pids('sleeper'))].toSorted(byNumber)).toEqual(
    pids.toSorted(byNumber),
  )
  const living = home.processes().filter((pid) => pid !== second.pid)
  expect(living.toSorted(byNumber)).toEqual(pids.toSorted(byNumber))
  expect(await eventsOf(second, 'orphanAdopted')).toHaveLength(3)
  await load.answers(200)
  mustHaveLostNothing(await load.stop())
  await second.stop()
})

it('such workers are ended when nobody takes them back', async () => {
  const { home, pids } = await wiped()
  const ended = await home.cli(['stop', '--orphans', '--json'])
  mustExit(ended, 0)
  const [instance] = JSON.parse(ended.stdout).instances
  expect(instance.workers.map(({ pid }: { pid: number }) => pid).toSorted(byNumber)).toEqual(pids.toSorted(byNumber))
  expect((await home.cli(['stop', '--orphans'])).stdout).toBe('There are no orphans.\n')
  await home.mustBeEmpty()
})
