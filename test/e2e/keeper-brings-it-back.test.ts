// A supervisor in the background that is killed is back at once, with the same workers, and nobody notices.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { makeHome, type Home } from '../support/home.ts'
import { untilEvent } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const KILLS = process.env['SUPERVISE_SOAK'] === '1' ? 200 : 3

async function statusAfter(home: Home, pid: number) {
  const what = 'another supervisor answers, with a keeper of its own'
  return until(
    async () => {
      const status = await home.status().catch(() => null)
      return status !== null && status.pid !== pid && status.keptBy.pid !== null && status
    },
    20_000,
    what,
  )
}

it('SIGKILL of it, again and again under load, and of its keeper, fails no request, also when it stops (S1, S2)', async () => {
  const home = makeHome()
  const port = await freePort()
  const words = ['start', fixture('hello.js'), '-d', '-i', '2', '--port', String(port), ...QUICK]
  mustExit(await home.cli(words), 0)
  const workers = new Set(home.workers())
  const load = startLoad({
    target: { host: '127.0.0.1', port },
    lanes: mixedLanes({ webSockets: 0 }),
    durationMs: 600_000,
  })
  await load.answers(200)

  let status = await home.status()
  expect(status.keptBy).toEqual({ who: 'keeper', pid: expect.any(Number) })
  for (let kill = 0; kill < KILLS; kill += 1) {
    const { pid, keptBy } = status
    sendIfAlive(pid, 'SIGKILL')
    // oxlint-disable-next-line no-await-in-loop -- one death after the other
    status = await statusAfter(home, pid)
    // oxlint-disable-next-line no-await-in-loop
    await until(() => !isAlive(keptBy.pid ?? 0), 5_000, 'the keeper that brought it back has gone')
    expect(new Set(home.workers())).toEqual(workers)
    // One that dies sooner is a storm, which the keeper slows down.
    // oxlint-disable-next-line no-await-in-loop
    if (kill > 1) await setTimeout(2_200)
  }
  expect((await untilEvent(home, 'supervisorBroughtBack')).text).toMatch(/brought back after \d+ ms/)

  expect((await home.api('GET', '/v1/metrics')).text).toContain(`supervise_supervisor_restarts_total ${KILLS}\n`)

  const keeper = status.keptBy.pid ?? 0
  // The pipe that tells it of the supervisor's death, and nothing that serves or that a worker writes to.
  const held = readdirSync(`/proc/${keeper}/fd`).map((fd) => readlinkSync(`/proc/${keeper}/fd/${fd}`))
  expect(held.filter((link) => /^socket:|\/output\//.test(link))).toHaveLength(1)
  expect(readFileSync(`/proc/${keeper}/cmdline`, 'utf8')).toContain('supervise-keeper')
  sendIfAlive(keeper, 'SIGKILL')
  await until(async () => ![null, keeper].includes((await home.status()).keptBy.pid), 10_000, 'another keeper')
  await load.answers(200)
  mustHaveLostNothing(await load.stop())

  // Killed while it stops: it comes back to finish that, and the request under way is answered.
  const slow = get({ host: '127.0.0.1', port }, '/slow?ms=2500', 20_000)
  await until(async () => (await get({ host: '127.0.0.1', port })).status === 200, 5_000, 'another request is answered')
  const { pid } = await home.status()
  sendIfAlive(pid, 'SIGTERM')
  await until(async () => (await home.status()).apps[0]?.state === 'stopping', 5_000, 'it stops')
  sendIfAlive(pid, 'SIGKILL')
  expect((await slow).status).toBe(200)
  await until(() => home.processes().length === 0, 5_000, 'nothing is left, and nothing comes back')
})
