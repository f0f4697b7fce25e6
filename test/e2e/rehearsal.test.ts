// Failures that are rehearsed: an independent client sees no more of them than the rehearsal's own probe says, and whatever
// was done is undone when the one who rehearses goes.

import { readFileSync } from 'node:fs'
import { spawn, type ChildProcess } from 'node:child_process'
import { expect, it, onTestFinished } from 'vitest'
import type { ChaosReport } from '../../src/cli/chaos-report.ts'
import { freePort } from '../support/free-port.ts'
import { LAUNCHER, makeHome, TEST_NODE, type Home } from '../support/home.ts'
import { crashesOf, eventsOf, workersOf } from '../support/instance-facts.ts'
import { failuresOf, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 8

interface Document extends ChaosReport {
  readonly seed: number
  readonly endedBecause: string | null
}

async function startWeb(home: Home, port: number, args: readonly string[]): Promise<void> {
  const words = ['start', fixture('hello.js'), '-n', 'web', '-d', '-i', '2', '--port', String(port), ...QUICK, ...args]
  mustExit(await home.cli(words), 0)
}

/** A rehearsal that stops a worker; resolves with it and that worker's pid as soon as it is stopped. */
async function untilStopped(home: Home): Promise<{ readonly rehearsal: ChildProcess; readonly pid: number }> {
  const words = ['chaos', 'web', '--yes', '--only', 'stop', '--for', '1m', '--every', '1s']
  const rehearsal = spawn(TEST_NODE, [LAUNCHER, ...words], { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void rehearsal.kill('SIGKILL'))
  let said = ''
  rehearsal.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [, pid] = await until(() => /pid (\d+)\) is stopped/.exec(said), 20_000, 'a worker is stopped')
  await until(() => stateOf(Number(pid)) === 'T', 5000, 'the kernel has stopped it')
  return { rehearsal, pid: Number(pid) }
}

async function pidsOf(home: Home): Promise<readonly (number | null)[]> {
  return (await workersOf(home)).map(({ pid }) => pid)
}

/** As in /proc: `T` is stopped. */
function stateOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
}

it('kills, stops, hangs and takes the supervisor, and users lose what was under way at most (A1, S1)', async () => {
  const home = makeHome()
  const port = await freePort()
  await startWeb(home, port, ['--hang-timeout', '1s'])

  const unconfirmed = await home.cli(['chaos', 'web'])
  expect(unconfirmed).toMatchObject({ code: 2, stdout: '' })
  expect(unconfirmed.stderr).toMatch(/CHAOS_UNCONFIRMED[\s\S]*kill +SIGKILL to a worker[\s\S]*--yes/)
  expect(unconfirmed.stderr).not.toContain('supervisor ')

  const lanes = [{ kind: 'once', connections: CONNECTIONS, expect: { text: 'hello\n' } }] as const
  const load = startLoad({ target: { host: '127.0.0.1', port }, lanes, ratePerSecond: 300, durationMs: 120_000 })
  await load.answers(100)
  const words = ['--only', 'kill,stop,hang,supervisor', '--for', '16s', '--every', '1s', '--seed', '2', '--json']
  const run = home.cli(['chaos', 'web', '--yes', ...words])
  await until(
    async () => (await home.cli(['status'])).stdout.includes('rehearsal of failures'),
    10_000,
    'status says it',
  )
  expect((await home.cli(['chaos', 'web', '--yes'])).stderr).toContain('a rehearsal is under way')
  const { code, stdout, stderr } = await run
  const seen = failuresOf(await load.stop())
  const report: Document = JSON.parse(stdout)

  expect(code, `${stdout}${stderr}`).toBe(0)
  const kinds = report.faults.map(({ kind }) => kind)
  expect(new Set(kinds)).toEqual(new Set(['kill', 'stop', 'hang', 'supervisor']))
  expect(report.faults.every(({ state, asked }) => state === 'recovered' && asked > 0)).toBe(true)
  // The independent client: nothing but what was under way in a worker that was taken.
  const taken = kinds.filter((kind) => kind !== 'supervisor').length
  const { failures, failed } = seen as { failures: Record<string, number>; failed: number }
  expect(failed, JSON.stringify(seen)).toBeLessThanOrEqual(taken * CONNECTIONS)
  expect(Object.keys(failures).filter((kind) => ['refused', 'timedOut', 'unexpectedStatus'].includes(kind))).toEqual([])

  const crashes = await crashesOf(home)
  expect(new Set(report.faults.flatMap(({ crash }) => crash ?? []))).toEqual(new Set(crashes.map(({ id }) => id)))
  for (const crash of crashes) expect(crash.words).toMatch(/"(kill|stop|hang)" was rehearsed/)
  const told = await eventsOf(home, 'chaosFault')
  expect(told.map(({ data }) => data?.['fault'])).toEqual(kinds)
  expect((await home.api('GET', '/v1/metrics')).text).toMatch(
    /supervise_chaos_faults_total\{app="web",kind="stop"\} [1-9]/,
  )

  mustExit(await home.cli(['scale', 'web', '1']), 0)
  const alone = await home.cli(['chaos', 'web', '--yes', '--only', 'kill'])
  expect(alone).toMatchObject({ code: 1 })
  expect(alone.stderr).toContain('1 worker serves, and the last one is never taken')
  mustExit(await home.cli(['stop']), 0)
})

it('is undone when the one who rehearses is killed', async () => {
  const home = makeHome()
  await startWeb(home, await freePort(), ['--hang-timeout', '25s'])
  const before = await pidsOf(home)

  const { rehearsal, pid } = await untilStopped(home)
  sendIfAlive(rehearsal.pid ?? 0, 'SIGKILL')
  await until(() => stateOf(pid) !== 'T', 5000, 'it goes on')
  await until(async () => (await eventsOf(home, 'chaosEnded')).length > 0, 5000, 'the rehearsal is over')
  expect((await eventsOf(home, 'chaosEnded'))[0]?.text).toContain('whoever asked for it has gone')
  expect(await pidsOf(home)).toEqual(before)
  expect(await crashesOf(home)).toEqual([])
  mustExit(await home.cli(['stop']), 0)
})
