import { beforeEach, describe, expect, it } from 'vitest'
import { beginRollout } from '../../src/core/rollout.ts'
import type { Vitals } from '../../src/protocol/messages.ts'
import type { App } from '../../src/supervisor/app.ts'
import { BakeWatch } from '../../src/supervisor/bake-watch.ts'
import { GroupTraffic } from '../../src/supervisor/group-traffic.ts'
import { failsProbe } from '../../src/supervisor/health-watch.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'
import { policy } from '../core/rollout-scene.ts'

const MINUTE = 60_000
const liveness = { path: '/livez', everyMs: 1000, withinMs: 1000, failures: 3 }

/** As much of a group as is looked at: its release, its workers, what they said. */
class StandIn {
  readonly traffic = new GroupTraffic()
  readonly generation
  readonly workers: WorkerHandle[]

  constructor(release: string) {
    const config = { bakeMs: 10 * MINUTE, bakeMinRequests: 0, maxErrorRatio: null, liveness }
    this.generation = { release: { id: release }, config }
    const worker = { adopted: false, isUp: true, probeFailures: 0, generation: this.generation }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.workers = [{ ...worker }, { ...worker }] as unknown as WorkerHandle[]
  }

  processes(): readonly WorkerHandle[] {
    return this.workers
  }

  /** What the first worker has answered since it began. */
  answered(requests: number, serverErrors: number): void {
    const responses = { '1xx': 0, '2xx': requests - serverErrors, '3xx': 0, '4xx': 0, '5xx': serverErrors, aborted: 0 }
    const idle = { loopDelayMs: 0, loopUtilization: 0, heapUsedBytes: 1, heapLimitBytes: 1 }
    const vitals: Vitals = { ...idle, connections: 0, requests: 0, inFlight: 0, responses }
    const [first] = this.workers
    if (first !== undefined) this.traffic.heard(first, vitals, now)
  }

  failProbes(...failures: number[]): void {
    for (const [at, count] of failures.entries()) Object.assign(this.workers[at] ?? {}, { probeFailures: count })
  }
}

function one({ workers: [worker] }: StandIn): WorkerHandle {
  if (worker === undefined) throw new Error('It has no worker')
  return worker
}

let now = 0
let old: StandIn
let fresh: StandIn
beforeEach(() => {
  now = 0
  old = new StandIn('r1')
  fresh = new StandIn('r2')
})

function watch(earlier: ReturnType<BakeWatch['judge']> | null = null): BakeWatch {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const app = { clock: { now: () => now }, bothGroups: () => [old, fresh], activeGroup: fresh } as unknown as App
  const { rollout } = beginRollout({ release: 'r2', from: 'r1', autoPromote: true, policy }, 0)
  return new BakeWatch(app, rollout, earlier)
}

describe('BakeWatch', () => {
  it('compares what came since the flip with the hour of the old release before it', () => {
    old.answered(1000, 2)
    fresh.answered(50, 50)
    now = MINUTE
    const bake = watch()
    old.answered(1500, 300)
    fresh.answered(250, 51)
    bake.begin(2 * MINUTE)
    const { verdict, figures } = bake.judge(3 * MINUTE)
    expect(figures).toMatchObject({ elapsedMs: MINUTE, requests: 200, serverErrors: 1 })
    expect(figures.old).toEqual({ requests: 1000, serverErrors: 2, crashes: 0 })
    expect(verdict).toBe('inconclusive')
  })

  it('names the first crash, and holds none against a release whose forerunner crashes as well', () => {
    const bake = watch()
    bake.begin(0)
    bake.crashed(one(old), 'worker 1 exited with code 2')
    bake.crashed(one(fresh), 'worker 2 exited with code 1')
    expect(bake.judge(1).verdict).toBe('inconclusive')
    bake.crashed(one(fresh), 'worker 1 exited with code 1')
    expect(bake.judge(1)).toMatchObject({
      verdict: 'fail',
      why: '2 workers crashed since the flip, and 1 of the old release in an hour: worker 2 exited with code 1',
    })
  })

  it('leaves to a reload what the reload tries', () => {
    const bake = watch()
    bake.begin(0)
    bake.crashed({ generation: { ...one(fresh).generation } }, 'worker 1 exited with code 1')
    expect(bake.judge(1).figures.crashes).toBe(0)
  })

  it('takes one failed probe for nothing, and two in a row for a failure unless the old release fails them, too', () => {
    const bake = watch()
    bake.begin(0)
    fresh.failProbes(1, 1)
    expect(bake.judge(1).verdict).toBe('inconclusive')
    fresh.failProbes(2, 0)
    expect(bake.judge(1)).toMatchObject({ verdict: 'fail', why: '1 worker failed the health probe' })
    old.failProbes(0, 5)
    expect(bake.judge(1).verdict).toBe('inconclusive')
  })

  it('goes on with what another supervisor has written down', () => {
    old.answered(1000, 1)
    const first = watch()
    first.begin(0)
    fresh.answered(300, 2)
    now = 4 * MINUTE
    const earlier = first.judge(now)
    // All that this one knows is on paper, and its clock is another.
    old = new StandIn('r1')
    fresh = new StandIn('r2')
    now = 1
    const second = watch(structuredClone(earlier))
    second.begin(1)
    fresh.answered(100, 1)
    const { figures } = second.judge(1 + MINUTE)
    expect(figures).toMatchObject({ elapsedMs: 5 * MINUTE, requests: 400, serverErrors: 3 })
    expect(figures.old).toEqual({ requests: 1000, serverErrors: 1, crashes: 0 })
    expect(second.judge(1 + 6 * MINUTE).verdict).toBe('pass')
  })
})

describe('failsProbe()', () => {
  it('is true from the second failure in a row on, of a worker that is up and has a probe', () => {
    const worker = { isUp: true, generation: { config: { liveness } } }
    const after = [0, 1, 2, 3].map((probeFailures) => failsProbe({ ...worker, probeFailures }))
    expect(after).toEqual([false, false, true, true])
    expect(failsProbe({ ...worker, probeFailures: 2, isUp: false })).toBe(false)
    const strict = { config: { liveness: { ...liveness, failures: 1 } } }
    expect(failsProbe({ ...worker, probeFailures: 1, generation: strict })).toBe(true)
    expect(failsProbe({ ...worker, probeFailures: 9, generation: { config: { liveness: null } } })).toBe(false)
  })
})
