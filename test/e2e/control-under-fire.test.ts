// Whatever clients do to the control socket, and however slowly somebody reads its lines, the supervisor supervises.

import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { LAUNCHER, makeHome, TEST_NODE, type Home } from '../support/home.ts'
import { crashesOf, workersOf } from '../support/instance-facts.ts'
import { rss, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const isSoak = process.env['SUPERVISE_SOAK'] !== undefined

const ATTACKS: readonly (readonly [count: number, text: string])[] = [
  [200, '\0\u0001ÿ'.repeat(500)],
  [200, 'GET /v1/status HTT'],
  [200, 'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"now":'],
  [300, ''],
  // Ask for all there is, and never read it.
  [60, 'GET /v1/logs?follow&lines=5000 HTTP/1.1\r\nhost: x\r\n\r\n'],
  [40, 'GET /v1/apps/hello HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20)],
]

describe('1,000 clients that send garbage, half a message or nothing, or never read', () => {
  it('do not stall supervision: a worker that dies is replaced, and the load notices none of them (S13)', async () => {
    const { supervise, load } = await startUnderLoad(fixture('hello.js'), ['-i', '2'])
    const path = join(supervise.home.instanceDirectory(), 'control.sock')
    const sockets: Socket[] = []
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
    const before = rss(supervise.pid)
    for (const [count, text] of ATTACKS) {
      for (let client = 0; client < count; client += 1) {
        const socket = connect(path)
        socket.on('error', () => {}).on('connect', () => text !== '' && socket.write(text))
        socket.pause()
        sockets.push(socket)
      }
    }
    await load.answers(1_000)
    expect(load.progress().failed).toBe(0)

    // A machine that is busy with others' work may make a worker late for a moment.
    await until(async () => (await supervise.cli('status', '--json')).code === 0, 10_000, 'status finds all well')
    const [victim = 0] = (await workersOf(supervise)).map(({ pid }) => pid ?? 0)
    sendIfAlive(victim, 'SIGKILL')
    await until(
      async () => {
        const workers = await workersOf(supervise)
        return workers.length === 2 && workers.every(({ pid, state }) => pid !== victim && state === 'serving')
      },
      10_000,
      'the dead worker is replaced',
    )
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await load.answers(500)
    const report = await load.stop()
    // What was under way in the worker that was killed.
    expect(report.failed).toBeLessThanOrEqual(60 + 4 * 3)
    expect(report.failures.refused + report.failures.timedOut).toBe(0)
    expect(await crashesOf(supervise)).toHaveLength(1)
    expect(rss(supervise.pid) - before).toBeLessThan(150 * 2 ** 20)
    await supervise.stop()
  })
})

interface Unread {
  readonly home: Home
  readonly pid: number
  readonly port: number
  /** From now on somebody reads; the lines of the app that come, in order, and all others. */
  read(): { readonly numbers: number[]; readonly others: string[] }
}

/** A supervisor whose stdout is a pipe that nobody reads yet, with an app that writes so much. */
async function startUnread(megabytes: number): Promise<Unread> {
  const home = makeHome()
  const port = await freePort()
  const args = ['-i', '1', '--port', `${port}`, '--env', `WRITE_MB=${megabytes}`, '--hang-timeout', '3s']
  const child = spawn(TEST_NODE, [LAUNCHER, 'start', fixture('writes-a-lot.js'), ...args], {
    cwd: home.work,
    env: home.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await until(async () => (await workersOf(home)).some(({ state }) => state === 'serving'), 15_000, 'it serves')
  return {
    home,
    pid: child.pid ?? 0,
    port,
    read() {
      const numbers: number[] = []
      const others: string[] = []
      createInterface(child.stdout).on('line', (line) => {
        const number = /"msg":"line (\d+)\.*"/.exec(line)?.[1]
        if (number === undefined) others.push(line)
        else numbers.push(Number(number))
      })
      return { numbers, others }
    },
  }
}

/** The app says on stderr that it is done; `supervise logs` has it, though nothing leaves through stdout. */
async function untilWritten(home: Home, deadlineMs: number, look: () => void): Promise<void> {
  await until(
    async () => {
      look()
      return (await home.api('GET', '/v1/logs?stream=stderr&lines=5')).text.includes('wrote ')
    },
    deadlineMs,
    'the app has written everything',
  )
}

describe("a worker's flood of lines while nobody reads the supervisor's stdout", () => {
  const megabytes = isSoak ? 1_024 : 96

  it(
    `${megabytes} MB: memory stays bounded, the worker is not held up, and what was dropped is counted (S14)`,
    async () => {
      const { home, pid, port, read } = await startUnread(megabytes)
      let most = 0
      await untilWritten(home, isSoak ? 600_000 : 60_000, () => (most = Math.max(most, rss(pid))))
      expect(most).toBeLessThan(300 * 2 ** 20)
      expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
      expect(await crashesOf(home)).toEqual([])

      const { numbers, others } = read()
      const lines = (megabytes * 1024 * 1024) / 128
      const dropped = () =>
        others.reduce((sum, line) => sum + Number(/(\d+) log lines? (?:was|were) dropped/.exec(line)?.[1] ?? 0), 0)
      // Every line came or was counted, and so was what the app said on stderr when it was done.
      const told = () => others.filter((line) => line.includes('"msg":"wrote ')).length
      const accounted = () => numbers.length + told() + dropped()
      await until(() => accounted() >= lines + 1, 60_000, 'every line came or was counted')
      expect(accounted()).toBe(lines + 1)
      expect(dropped()).toBeGreaterThan(0)
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      expect(numbers.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, (_, index) => index))

      expect(await home.cli(['reload'])).toMatchObject({ code: 0 })
      sendIfAlive(pid, 'SIGTERM')
      await until(() => home.processes().length === 0, 60_000, 'the end')
      expect(others.some((line) => line.includes('"reloaded"'))).toBe(true)
    },
    isSoak ? 900_000 : 90_000,
  )

  it('4 MB: less than what may wait, so that not one line is lost (S14)', async () => {
    const { home, pid, read } = await startUnread(4)
    await untilWritten(home, 30_000, () => {})
    const { numbers, others } = read()
    await until(() => numbers.length >= 32_768, 20_000, 'every line')
    expect(numbers).toEqual(Array.from({ length: 32_768 }, (_, index) => index))
    expect(others.some((line) => line.includes('dropped'))).toBe(false)
    sendIfAlive(pid, 'SIGTERM')
    await until(() => home.processes().length === 0, 20_000, 'the end')
  })
})
