// A rehearsal on an app that is made up, in a time that is made up.

import { describe, expect, it } from 'vitest'
import type { FaultStep } from '../../src/control/messages.ts'
import type { FaultKind } from '../../src/core/chaos.ts'
import { hostMs } from '../../src/protocol/host-time.ts'
import type { SupervisorMessage } from '../../src/protocol/messages.ts'
import type { App } from '../../src/supervisor/app.ts'
import { Rehearsal, type RehearsalOwner } from '../../src/supervisor/rehearsal.ts'

interface FakeWorker {
  readonly id: number
  readonly pid: number
  state: string
  rehearsed: string | null
  killReason: string | null
  readonly hasAgent: boolean
  lastHeardAt: number
  readonly signals: string[]
  readonly orders: SupervisorMessage[]
}

/** Each wake-up is the next moment; `passed` sees every one of them. */
class FakeApp {
  now = 0
  workers: FakeWorker[] = [1, 2].map((id) => this.#worker(id, 100 + id))
  passed: (now: number) => void = () => {}
  readonly clock = {
    now: () => this.now,
    wakeAt: (time: number, wake: () => void) => {
      this.now = time
      this.passed(time)
      setImmediate(wake)
      return () => {}
    },
  }

  get app(): App {
    const fake = {
      clock: this.clock,
      activeGroup: { wanted: 2, processes: () => this.workers, place: () => ({ history: { crashes: [] } }) },
      processes: () => this.workers,
      counts: () => ({ serving: this.workers.filter(({ state }) => state === 'serving').length, wanted: 2, failed: 0 }),
      sampleOf: () => null,
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a rehearsal looks at, and no more
    return fake as unknown as App
  }

  /** Another process has its id. */
  replace({ id, pid }: FakeWorker): void {
    this.workers = [...this.workers.filter((worker) => worker.pid !== pid), this.#worker(id, pid + 100)]
  }

  #worker(id: number, pid: number): FakeWorker {
    const signals: string[] = []
    const orders: SupervisorMessage[] = []
    const config = { maxRestarts: 10, restartWindowMs: 60_000, maxMemoryBytes: null }
    const acts = {
      signal: (signal: string) => signals.push(signal),
      send: (message: SupervisorMessage) => orders.push(message),
    }
    return Object.assign(acts, {
      id,
      pid,
      state: 'serving',
      rehearsed: null,
      killReason: null,
      hasAgent: true,
      // Not yet: it is heard of all the time.
      lastHeardAt: Infinity,
      signals,
      orders,
      generation: { config },
    })
  }
}

interface Scene {
  readonly fake: FakeApp
  readonly steps: FaultStep[]
  readonly rehearsal: Rehearsal
  /** The worker that the first fault was done to. */
  victim(): FakeWorker
}

function sceneOf(kind: FaultKind, change: Partial<RehearsalOwner> = {}, forMs = 9000): Scene {
  const fake = new FakeApp()
  const first = [...fake.workers]
  const steps: FaultStep[] = []
  const lengthsMs = { kill: 0, stop: 8000, hang: 8000, memory: 8000, delay: 8000, supervisor: 0 }
  const plan = {
    kinds: [kind],
    everyMs: 60_000,
    endsAt: forMs,
    seed: 1,
    lengthsMs,
    settleMs: 30_000,
    supervisorFrom: 0,
  }
  const owner = {
    isBusy: () => false,
    whyEnd: () => null,
    tell: (step: FaultStep) => steps.push(step),
    warning: () => '; mind it',
    record: () => {},
    killSupervisor: () => {},
    ...change,
  }
  const sizes = { memoryBytes: 2 ** 20, delayMs: 70 }
  const rehearsal = new Rehearsal(fake.app, { plan, sizes, firstAt: 1000, done: [] }, owner)
  const victim = (): FakeWorker => {
    const found = first.find(({ pid }) => pid === steps[0]?.pid)
    if (found === undefined) throw new Error('No fault was done')
    return found
  }
  return { fake, steps, rehearsal, victim }
}

describe('a rehearsal', () => {
  it('kills, says so in the worker, and waits until as many serve as before', async () => {
    const { fake, steps, rehearsal, victim } = sceneOf('kill')
    fake.passed = (now) => {
      if (steps.length === 1 && now >= 1500 && fake.workers.includes(victim())) fake.replace(victim())
    }
    expect(await rehearsal.run()).toEqual({ faults: 1, recovered: 1, endedBecause: null })
    expect(victim()).toMatchObject({ signals: ['SIGKILL'], killReason: 'rehearsal', rehearsed: 'kill' })
    expect(steps.map(({ state, tookMs }) => [state, tookMs])).toEqual([
      ['began', null],
      ['recovered', 500],
    ])
    expect(steps[0]?.text).toMatch(/^worker \d \(pid \d+\) is killed; mind it$/)
  })

  it.each([
    ['stop', [], ['SIGSTOP', 'SIGCONT']],
    ['hang', [{ fault: 'hang', forMs: 8000 }, { fault: 'none' }], []],
    ['delay', [{ fault: 'delay', forMs: 8000, byMs: 70 }, { fault: 'none' }], []],
    ['memory', [{ fault: 'memory', forMs: 8000, bytes: 2 ** 20 }, { fault: 'none' }], []],
  ] as const)('lets go of %s that nothing has ended', async (kind, orders, signals) => {
    const { steps, rehearsal, victim } = sceneOf(kind)
    expect(await rehearsal.run()).toEqual({ faults: 1, recovered: 1, endedBecause: null })
    const given = orders.map((order) => ({ type: 'rehearse', ...order }))
    // At its end once more, which is no harm.
    expect(victim().orders.slice(0, given.length)).toMatchObject(given)
    expect(victim().signals.slice(0, signals.length)).toEqual(signals)
    expect(victim().rehearsed).toBeNull()
    expect(steps.at(-1)?.state).toBe('recovered')
  })

  it('undoes at once what it holds when it shall end', async () => {
    let why: string | null = null
    const { fake, steps, rehearsal, victim } = sceneOf('stop', { whyEnd: () => why })
    fake.passed = (now) => {
      if (now >= 2000) why = 'whoever asked for it has gone'
    }
    expect(await rehearsal.run()).toEqual({ faults: 1, recovered: 0, endedBecause: 'whoever asked for it has gone' })
    expect(victim().signals).toEqual(['SIGSTOP', 'SIGCONT'])
    expect(steps.at(-1)?.state).toBe('givenUp')
    expect(fake.now).toBeLessThan(2100)
  })

  it('tells when an app has not recovered', async () => {
    const { fake, steps, rehearsal, victim } = sceneOf('kill')
    fake.passed = () => {
      if (steps.length === 1) fake.workers = fake.workers.filter((worker) => worker !== victim())
    }
    expect(await rehearsal.run()).toEqual({ faults: 1, recovered: 0, endedBecause: null })
    expect(steps.at(-1)).toMatchObject({
      state: 'notRecovered',
      tookMs: null,
      text: '1 of 2 workers serve after 30.0 s',
    })
  })

  it('takes no worker while the other one is not heard of', async () => {
    const { fake, steps, rehearsal, victim } = sceneOf('kill', {}, 12_000)
    for (const worker of fake.workers.slice(1)) worker.lastHeardAt = -2000
    let begunAt = 0
    fake.passed = (now) => {
      if (now === 8000) for (const worker of fake.workers) worker.lastHeardAt = Infinity
      if (steps.length === 0 || begunAt > 0) return
      begunAt = now
      fake.replace(victim())
    }
    expect(await rehearsal.run()).toMatchObject({ faults: 1, recovered: 1 })
    // Its turn was at 1000.
    expect(begunAt).toBeGreaterThanOrEqual(8000)
  })

  it('orders what is to end at a time that the worker knows as well, however late it hears of it', async () => {
    const { rehearsal, victim } = sceneOf('hang')
    const before = hostMs()
    await rehearsal.run()
    const [order] = victim().orders
    expect(order).toMatchObject({ fault: 'hang', untilMs: expect.any(Number) })
    const { untilMs } = order as { untilMs: number }
    expect(untilMs).toBeGreaterThanOrEqual(before + 8000)
    expect(untilMs).toBeLessThanOrEqual(hostMs() + 8000)
  })

  it('does nothing while something else is under way', async () => {
    const { steps, rehearsal } = sceneOf('kill', { isBusy: () => true })
    expect(await rehearsal.run()).toEqual({ faults: 0, recovered: 0, endedBecause: null })
    expect(steps).toEqual([])
  })

  it('has the supervisor killed, and says how far it is', async () => {
    const kills: object[] = []
    const { fake, rehearsal } = sceneOf(
      'supervisor',
      { killSupervisor: () => void kills.push(rehearsal.status) },
      20_000,
    )
    fake.passed = () => {}
    await rehearsal.run()
    expect(kills).toEqual([{ faults: 1, current: { kind: 'supervisor', worker: null }, endsInSeconds: 19, seed: 1 }])
  })
})
