// The app's own metrics: which registries are found, and when they are told.

import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bench, type TestSupervisor } from './support/test-supervisor.ts'

const runtime = JSON.stringify(fileURLToPath(new URL('../../src/runtime.ts', import.meta.url)))
const prom = JSON.stringify(fileURLToPath(import.meta.resolve('prom-client')))

const HTTP = `
  import http from 'node:http'
  import { metrics } from ${runtime}
  const server = http.createServer((request, response) => response.end('x'))
  server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
`

let bench: Bench
let supervisor: TestSupervisor

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

async function collect(pid: number, id: number, defaults: boolean) {
  supervisor.say(pid, { type: 'collect', id, defaults })
  const { registries, metrics, problem } = await supervisor.said(pid, 'appMetrics', (message) => message.id === id)
  return { registries, names: metrics.map(({ name }) => name), metrics, problem }
}

describe('Registries', () => {
  it('finds the default registry of a prom-client that the app has loaded, and loads none', async () => {
    const { pid } = await supervisor.serve(bench.app(HTTP, 'mjs'))
    expect(await collect(pid, 1, true)).toEqual({ registries: 0, names: [], metrics: [], problem: null })
    const other = await supervisor.serve(
      bench.app(
        `${HTTP}
        import { Counter, Gauge } from ${prom}
        new Counter({ name: 'a_total', help: 'A.', labelNames: ['k'] }).inc({ k: 5 }, 2)
        new Gauge({ name: 'b', help: 'B.', aggregator: 'max' }).set(1)`,
        'mjs',
      ),
    )
    const found = await collect(other.pid, 1, true)
    expect(found.registries).toBe(1)
    expect(found.metrics).toEqual([
      { name: 'a_total', help: 'A.', type: 'counter', aggregator: 'sum', values: [{ labels: { k: 5 }, value: 2 }] },
      { name: 'b', help: 'B.', type: 'gauge', aggregator: 'max', values: [{ labels: {}, value: 1 }] },
    ])
    expect((await collect(other.pid, 2, false)).registries).toBe(0)
  })

  it('takes what is registered, each metric once, and says when the first is', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${HTTP}
        import { Counter, Registry } from ${prom}
        const both = new Registry()
        const other = new Registry()
        new Counter({ name: 'shared_total', help: 'S.', registers: [both, other] }).inc()
        metrics.register(both)
        metrics.register(other)
        metrics.register(new Registry())()
        try { metrics.register({}) } catch (error) { console.log('refused', error.name) }`,
        'mjs',
      ),
    )
    await supervisor.said(pid, 'metricsOffered')
    await supervisor.output(pid, /refused TypeError/)
    expect(await collect(pid, 1, false)).toMatchObject({ registries: 2, names: ['shared_total'] })
  })

  it('tells of a registry that fails, and of one that is too large, and leaves it out', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${HTTP}
        import { Counter, Gauge, Registry } from ${prom}
        const bad = new Registry()
        new Gauge({ name: 'bad', help: 'B.', registers: [bad], collect() { throw new Error('no database') } })
        const good = new Registry()
        new Counter({ name: 'good_total', help: 'G.', registers: [good] })
        const takeBack = metrics.register(bad)
        metrics.register(good)
        process.on('SIGUSR2', () => {
          takeBack()
          const many = new Counter({ name: 'many_total', help: 'M.', labelNames: ['k'], registers: [good] })
          for (let k = 0; k < 10_001; k++) many.inc({ k })
          console.log('many')
        })`,
        'mjs',
      ),
    )
    expect(await collect(pid, 1, false)).toMatchObject({
      names: ['good_total'],
      problem: { kind: 'failed', text: 'no database' },
    })
    process.kill(pid, 'SIGUSR2')
    await supervisor.output(pid, /many/)
    const { names, problem } = await collect(pid, 2, false)
    expect(names).toEqual([])
    expect(problem).toMatchObject({ kind: 'too-large', text: expect.stringMatching(/^10002 series, /) })
  })

  it('tells at the end of a drain what was counted until then, once it was asked', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${HTTP}
        import { onDrain } from ${runtime}
        import { Counter } from ${prom}
        const count = new Counter({ name: 'a_total', help: 'A.' })
        onDrain(() => count.inc(7))`,
        'mjs',
      ),
    )
    await collect(pid, 1, true)
    const from = supervisor.events.length
    supervisor.say(pid, { type: 'drain', deadlineMs: 5_000, spreadMs: 0 })
    const last = await supervisor.said(pid, 'appMetrics', () => true, from)
    expect(last.metrics[0]?.values[0]?.value).toBe(7)
    await supervisor.said(pid, 'drained')
  })

  it('drains in time, whatever a metric of the app waits for', async () => {
    const { pid } = await supervisor.serve(
      bench.app(
        `${HTTP}
        import { Gauge } from ${prom}
        new Gauge({ name: 'stuck', help: 'S.', collect: () => new Promise(() => {}) })`,
        'mjs',
      ),
    )
    supervisor.say(pid, { type: 'collect', id: 1, defaults: true })
    supervisor.say(pid, { type: 'drain', deadlineMs: 5_000, spreadMs: 0 })
    await supervisor.said(pid, 'drained')
  })
})
