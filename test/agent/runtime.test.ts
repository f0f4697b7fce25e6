// `supervise/runtime` in an app, with a supervisor and without one, and the app's part in a drain.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { Bench, NODE, type TestSupervisor } from './support/test-supervisor.ts'

const runtime = JSON.stringify(fileURLToPath(new URL('../../src/runtime.ts', import.meta.url)))

let bench: Bench
let supervisor: TestSupervisor

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

const NAMES = `import { app, group, onDrain, release, worker } from ${runtime}; console.log('names', JSON.stringify({ app, group, release, worker }))`
const HTTP = `
  import http from 'node:http'
  const server = http.createServer((request, response) => response.end('x'))
  server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
`

describe('supervise/runtime', () => {
  it('is harmless without a supervisor', () => {
    const path = bench.app(
      `${NAMES}; onDrain(() => {})(); try { onDrain(5) } catch (error) { console.log(error.name) }
      import { metrics } from ${runtime}; metrics.register({ getMetricsAsJSON: () => [] })()
      try { metrics.register(5) } catch (error) { console.log(error.name) }`,
      'mjs',
    )
    const output = execFileSync(NODE, ['--disable-warning=ExperimentalWarning', path], { encoding: 'utf8' })
    expect(output).toBe('names {"app":null,"group":null,"release":null,"worker":null}\nTypeError\nTypeError\n')
  })

  it('knows what the worker is', async () => {
    const pid = await supervisor.fork(bench.app(NAMES, 'mjs'), {
      settings: { release: 'r12', group: 'green', worker: 3 },
    })
    const [, names] = await supervisor.output(pid, /names (.*)/)
    expect(JSON.parse(names ?? '')).toEqual({ app: 'web', group: 'green', release: 'r12', worker: 3 })
  })
})

describe('onDrain()', () => {
  it('takes part: the worker is drained when the callbacks are done', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${NAMES}; ${HTTP}
        onDrain(async ({ deadlineMs, signal }) => {
          console.log('draining', deadlineMs, signal.aborted)
          await new Promise((resolve) => setTimeout(resolve, 200))
          console.log('done')
        })
        onDrain(() => console.log('never'))()
        onDrain(() => { throw new Error('my mistake') })`,
        'mjs',
      ),
    )
    supervisor.say(pid, { type: 'drain', deadlineMs: 5_000, spreadMs: 0 })
    const drained = await supervisor.said(pid, 'drained')
    expect(drained.tookMs).toBeGreaterThanOrEqual(190)
    expect(drained.tookMs).toBeLessThan(4_000)
    expect((await supervisor.said(pid, 'notice')).text).toMatch(/my mistake/)
    await supervisor.output(pid, /draining 5000 false\ndone/)
    expect(supervisor.outputOf(pid)).not.toMatch(/never/)
  })

  it('holds the worker no longer than the deadline, and is told of it', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${NAMES}; ${HTTP}
        onDrain(({ signal }) => new Promise(() => signal.addEventListener('abort', () => console.log('aborted'))))`,
        'mjs',
      ),
    )
    supervisor.say(pid, { type: 'drain', deadlineMs: 300, spreadMs: 0 })
    expect((await supervisor.said(pid, 'drained')).tookMs).toBeGreaterThanOrEqual(290)
    await supervisor.output(pid, /aborted/)
  })

  it('is called off when the worker serves again, and called again by the next drain', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${NAMES}; ${HTTP}
        let n = 0
        onDrain(({ signal }) => new Promise((resolve) => {
          if (++n === 2) resolve()
          signal.addEventListener('abort', () => console.log('aborted'))
        }))`,
        'mjs',
      ),
    )
    supervisor.say(pid, { type: 'drain', deadlineMs: 60_000, spreadMs: 0 })
    supervisor.say(pid, { type: 'undrain' })
    await supervisor.said(pid, 'undrained')
    await supervisor.output(pid, /aborted/)
    supervisor.say(pid, { type: 'drain', deadlineMs: 60_000, spreadMs: 0 })
    await supervisor.said(pid, 'drained')
    expect(
      supervisor.events.filter((event) => event.event === 'said' && event.message.type === 'drained'),
    ).toHaveLength(1)
  })

  it('is remembered by the worker: the next supervisor hears that it is drained', async () => {
    const { pid } = await supervisor.serve(bench.app(HTTP, 'mjs'))
    supervisor.say(pid, { type: 'drain', deadlineMs: 5_000, spreadMs: 0 })
    await supervisor.said(pid, 'drained')
    await supervisor.kill()
    const next = await bench.supervisor({ lend: false })
    expect((await next.said(pid, 'hello')).draining).toBe(true)
    await next.said(pid, 'drained')
  })
})
