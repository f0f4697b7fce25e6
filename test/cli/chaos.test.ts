// `supervise chaos`, run for real against a control socket whose supervisor does what the test says, and an app that answers.

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChaosLine, ChaosRequest, OperationResult } from '../../src/control/messages.ts'
import { chaosEndedEarly } from '../../src/errors/chaos.ts'
import type { ChaosOperations, OperationContext } from '../../src/supervisor/operations.ts'
import { run } from './command.ts'
import { result, StandIns } from './stand-in.ts'
import { app } from './statuses.ts'

let standIns: StandIns
let server: http.Server
let asked: http.IncomingMessage[]

beforeEach(async () => {
  standIns = new StandIns()
  asked = []
  server = http.createServer((request, response) => {
    asked.push(request)
    response.writeHead(request.url === '/bad' ? 500 : 404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.close()
  await standIns.end()
})

const FAULT = { type: 'fault', app: 'web', n: 1, kind: 'kill', worker: 2, pid: 41 } as const
const BEGAN: ChaosLine = { ...FAULT, state: 'began', text: 'worker 2 (pid 41) is killed', tookMs: null }
const RECOVERED: ChaosLine = { ...FAULT, state: 'recovered', text: 'all serve', tookMs: 120 }

/** Tells of one fault when the probe has asked for a while, and ends so. */
function rehearsing(ending: (context: OperationContext) => Promise<Partial<OperationResult>>): {
  readonly chaos: ChaosOperations
  readonly requests: ChaosRequest[]
} {
  const requests: ChaosRequest[] = []
  const { port } = server.address() as AddressInfo
  const to = { host: '127.0.0.1', port }
  const faults = [{ kind: 'kill', lengthMs: 0, text: 'SIGKILL to a worker', whyNot: null }] as const
  const chaos: ChaosOperations = {
    outlook: (name) => ({ app: name, serving: 2, busy: null, faults }),
    async run(name, request, context) {
      requests.push(request)
      const { progress } = context
      progress({ type: 'begin', app: name, kind: 'chaos', text: 'rehearses kill', workers: 2 })
      const places = [{ speaks: 'http', to, name: null }] as const
      progress({ type: 'rehearsal', app: name, seed: 7, kinds: ['kill'], places, headers: { 'x-probe': 'secret' } })
      await expect.poll(() => asked.length, { timeout: 10_000 }).toBeGreaterThan(30)
      progress(BEGAN)
      return result({ kind: 'chaos', ...(await ending(context)) })
    },
  }
  return { chaos, requests }
}

const recovering = rehearsing.bind(null, async ({ progress }) => {
  progress(RECOVERED)
  return {}
})

const supervise = (...args: string[]) => run(['chaos', ...args], { environment: standIns.environment })

it('does nothing without --yes, exit 2, and says what it would do and what to type', async () => {
  const { chaos, requests } = recovering()
  await standIns.live('default', [app()], { chaos })
  const { code, stdout, stderr } = await supervise('web', '--for', '30s')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('For 30s, every 5s, one fault at a time')
  expect(stderr).toContain('kill       SIGKILL to a worker')
  expect(stderr).toContain('Type `supervise chaos web --for 30s --yes`')
  expect([requests, asked]).toEqual([[], []])
})

it('asks as users do, marked as a probe, and succeeds when none of that failed', async () => {
  const { chaos, requests } = recovering()
  await standIns.live('default', [app()], { chaos })
  const { code, stdout, stderr } = await supervise(
    '--yes',
    '--only',
    'kill, stop',
    '--seed',
    '7',
    '--path',
    '/x',
    '--json',
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(requests).toEqual([{ forMs: 60_000, everyMs: 5000, delayMs: 200, only: ['kill', 'stop'], seed: 7 }])
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    app: 'web',
    seed: 7,
    endedBecause: null,
    passed: true,
    whole: { failed: 0 },
    faults: [{ n: 1, kind: 'kill', worker: 2, state: 'recovered', tookMs: 120 }],
  })
  expect(new Set(asked.map(({ url }) => url))).toEqual(new Set(['/x']))
  expect(asked[0]?.rawHeaders.slice(0, 2)).toEqual(['x-probe', 'secret'])
})

it('tells a fault a line, then what users saw, and exits 1 when that need not have been', async () => {
  const { chaos } = recovering()
  await standIns.live('default', [app()], { chaos })
  const { code, stdout, stderr } = await supervise('web', '--yes', '--path', '/bad', '--stop-when', '100%')
  expect(code).toBe(1)
  expect(stderr).toBe(
    'web: rehearses kill; Ctrl-C ends it at once\nweb: 1. worker 2 (pid 41) is killed\nweb: 1. recovered: all serve\n',
  )
  expect(stdout).toMatch(/^1 +kill +2 +120ms .* 5xx/m)
  expect(stdout).toMatch(/✗ web: 1 fault, recovered from 1; \d+ of \d+ requests failed, 0 of them under way/)
})

/** Goes on until whoever asked has gone. */
const goingOn = rehearsing.bind(null, async ({ left }) => {
  await new Promise<void>((resolve) => left?.addEventListener('abort', () => resolve()))
  return {}
})

it('ends when too many requests fail', async () => {
  const { chaos } = goingOn()
  await standIns.live('default', [app()], { chaos })
  const { code, stdout } = await supervise('web', '--yes', '--path', '/bad')
  expect(code).toBe(1)
  expect(stdout).toContain('ended early: 100% of the requests of the last 10 s failed (--stop-when 20%)')
})

it('ends at Ctrl-C with what was seen until then, exit 130', async () => {
  const { chaos } = goingOn()
  await standIns.live('default', [app()], { chaos })
  const { code, stdout } = await run(['chaos', 'web', '--yes'], {
    environment: standIns.environment,
    onOutput: (text, child) => void (text.includes('is killed') && child.kill('SIGINT')),
  })
  expect(code).toBe(130)
  expect(stdout).toMatch(
    /✗ web: 1 fault, recovered from 0; none of \d+ requests failed; ended early: it was interrupted/,
  )
})

it('exits 1 when it ended early in the supervisor', async () => {
  const error = chaosEndedEarly('web', 'the app is being stopped').toJSON()
  const { chaos } = rehearsing(() => Promise.resolve({ ok: false, text: '1 fault', error }))
  await standIns.live('default', [app()], { chaos })
  const { code, stdout } = await supervise('web', '--yes')
  expect(code).toBe(1)
  expect(stdout).toMatch(/ended early: the app is being stopped$/m)
})

it.each([
  [['--for', '2h'], '--for "2h"'],
  [['--every', '1'], '--every "1"'],
  [['--only', 'kill,burn'], '"burn"'],
  [['--stop-when', 'often'], '--stop-when "often"'],
  [['--path', 'x'], '"x"'],
  [['--connections', '0'], '--connections "0"'],
  [['--connections', '21'], '--connections "21"'],
  [['--memory', 'much'], '--memory "much"'],
])('refuses %j', async (args, words) => {
  const { chaos } = recovering()
  await standIns.live('default', [app()], { chaos })
  const { code, stderr } = await supervise('web', '--yes', ...args)
  expect(code).toBe(2)
  expect(stderr).toContain(words)
})
