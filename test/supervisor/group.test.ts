import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { BootGate } from '../../src/supervisor/boot-gate.ts'
import { Group, type GroupOwner } from '../../src/supervisor/group.ts'
import { WorkerHandle } from '../../src/supervisor/worker-handle.ts'
import type { Generation } from '../../src/supervisor/worker-spec.ts'

const PLAN = { surge: 2, booting: 2, minReadyMs: 0, answerMs: 1000, restorable: true }
/** No system gives numbers so high, so that no signal reaches anybody. */
const NO_PID = 5_000_000

describe('Group', () => {
  it('goes on with all that a reload started, also with more workers than before', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    const reload = scene.group.replace([1, 2], generation(2), PLAN, () => {})
    await scene.serveAll()
    scene.exit(0, 0)
    expect(await reload.result).toMatchObject({ outcome: 'moved' })
    expect(scene.group.wanted).toBe(2)
    expect(scene.forked.map(({ state }) => state)).toEqual(['exited', 'serving', 'serving'])
  })

  it('counts no crash of a worker for what never got ready in its place', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    const reload = scene.group.replace([1], generation(2), PLAN, () => {})
    await new Promise((resolve) => setImmediate(resolve))
    scene.exit(1, 1)
    expect(await reload.result).toMatchObject({ outcome: 'kept' })
    expect(scene.group.place(1).crashes).toBe(0)
    scene.exit(0, 1)
    expect(scene.group.place(1).crashes).toBe(1)
    scene.wakeAll()
    await new Promise((resolve) => setImmediate(resolve))
    scene.exit(2, 1)
    expect(scene.group.place(1).crashes).toBe(2)
  })

  it('starts what crashes while old processes drain from what the reload brought', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    const reload = scene.group.replace([1], generation(2), PLAN, () => {})
    await scene.serveAll()
    expect(scene.forked.map(({ state }) => state)).toEqual(['draining', 'serving'])
    scene.exit(1, 1)
    scene.wakeAll()
    await scene.serveAll()
    scene.exit(0, 0)
    await reload.result
    expect(scene.forked.map((worker) => worker.generation.number)).toEqual([1, 2, 2])
    expect(scene.group.current(1)).toBe(scene.forked[2])
  })
})

describe('replace()', () => {
  it('starts nothing in a group that ends, so that nothing is left of it (R9)', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    const stopped = scene.group.stop('drain')
    const { result } = scene.group.replace([1, 2], generation(2), PLAN, () => {})
    expect(await result).toMatchObject({ aborted: true })
    await scene.serveAll()
    expect(scene.forked).toHaveLength(1)
    scene.exit(0, 0)
    expect(await stopped).toBe(true)
    expect(scene.group.isStopping).toBe(true)
  })
})

describe('a restart', () => {
  it('is counted when it comes, and not when a stop has come before it', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    scene.exit(0, 1)
    expect(scene.restarts).toBe(0)
    scene.wakeAll()
    expect(scene.restarts).toBe(1)
    await scene.serveAll()
    scene.exit(1, 1)
    await scene.group.stop('drain')
    scene.wakeAll()
    expect(scene.restarts).toBe(1)
  })
})

describe('takeBack()', () => {
  it('lets what drains serve again, starts what has gone, and ends the stop for nobody (R11)', async () => {
    const scene = new Scene()
    await scene.replace([1, 2], generation(1))
    const stopped = scene.group.stop('drain')
    scene.exit(1, 0)
    scene.group.takeBack()
    await scene.serveAll()
    expect(scene.forked.map(({ state }) => state)).toEqual(['serving', 'exited', 'serving'])
    expect(scene.group.isWhole).toBe(true)
    scene.exit(0, 1)
    expect(await stopped).toBe(false)
    expect(scene.group.isWhole).toBe(false)
  })

  it('changes nothing of a group that was not to end', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    scene.group.takeBack()
    expect(scene.forked.map(({ state }) => state)).toEqual(['serving'])
    const stopped = scene.group.stop('drain')
    scene.exit(0, 0)
    expect(await stopped).toBe(true)
  })
})

describe('Group, while a restart waits for its turn to boot', () => {
  it('starts no second process beside the one that a reload starts (R5, R10)', async () => {
    const scene = new Scene(new BootGate(1))
    await scene.replace([1], generation(1))
    scene.holdGate()
    scene.exit(0, 1)
    scene.wakeAll()
    const reload = scene.group.replace([1], generation(2), PLAN, () => {})
    scene.freeGate()
    await scene.serveAll()
    await reload.result
    expect(scene.staying().map(({ generation: { number } }) => number)).toEqual([2])
  })

  it('starts nothing after a stop (R9)', async () => {
    const scene = new Scene(new BootGate(1))
    await scene.replace([1], generation(1))
    scene.holdGate()
    scene.exit(0, 1)
    scene.wakeAll()
    void scene.group.replace([1], generation(2), PLAN, () => {})
    await scene.group.stop('now')
    scene.freeGate()
    await scene.serveAll()
    expect(scene.staying()).toEqual([])
  })

  it('lets the older of two that would stay go', async () => {
    const scene = new Scene()
    await scene.replace([1], generation(1))
    const place = scene.group.place(1)
    const found = new WorkerHandle({ id: 1, incarnation: 'found', generation: generation(1) }, scene.group, {
      child: null,
      pid: process.pid,
      ageMs: 0,
      wasReady: true,
    })
    place.processes.add(found)
    scene.group.reconcile()
    expect(scene.forked[0]?.state).toBe('draining')
    expect(found.isStaying).toBe(true)
  })
})

class Scene {
  readonly forked: WorkerHandle[] = []
  restarts = 0
  readonly group: Group
  readonly #children: EventEmitter[] = []
  readonly #gate: BootGate
  #leaveGate = () => {}
  #wakes: (() => void)[] = []

  constructor(gate = new BootGate(9)) {
    this.#gate = gate
    this.group = new Group('blue', generation(1), 1, this.#owner())
  }

  async replace(ids: readonly number[], target: Generation): Promise<void> {
    const { result } = this.group.replace(ids, target, PLAN, () => {})
    await this.serveAll()
    await result
  }

  /** Lets everything be forked that is about to be, and get ready. */
  async serveAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    for (const worker of this.forked) worker.handle('becameReady')
    // Asked whether their loops turn, all of them answer.
    for (const worker of this.forked) worker.hear({ type: 'answered' })
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Somebody else boots. */
  holdGate(): void {
    this.#leaveGate = this.#gate.enter(() => {})
  }

  freeGate(): void {
    this.#leaveGate()
  }

  staying(): readonly WorkerHandle[] {
    return this.forked.filter((worker) => worker.isStaying)
  }

  exit(index: number, code: number): void {
    this.#children[index]?.emit('exit', code, null)
  }

  wakeAll(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }

  #owner(): GroupOwner {
    const fork = (identity: ConstructorParameters<typeof WorkerHandle>[0]): WorkerHandle => {
      const child = new EventEmitter()
      this.#children.push(child)
      const worker = new WorkerHandle(identity, this.group, { child, pid: NO_PID + this.forked.length })
      this.forked.push(worker)
      return worker
    }
    return {
      clock: {
        now: () => 0,
        wakeAt: (_time, wake) => {
          this.#wakes.push(wake)
          return () => (this.#wakes = this.#wakes.filter((other) => other !== wake))
        },
      },
      steps: {
        gate: this.#gate,
        prepare: async () => {},
        makeOutput: async () => ({ close() {} }) as never,
        fork,
      },
      reports: { restarted: () => (this.restarts += 1) },
      lend: (_worker, done) => done(),
      shelve: () => {},
      withdraw: (_worker, done) => done(),
      settle: (_worker, done) => done(),
      chance: () => 0.5,
      moved: () => {},
      exited: () => 'ended',
      restartPlanned: () => {},
      launchFailed: () => {},
    }
  }
}

const POLICY = {
  ready: { by: 'listen' },
  readyTimeoutMs: 1000,
  drainTimeoutMs: 1000,
  killTimeoutMs: 1000,
  stopSignal: 'SIGTERM',
  treeKill: false,
  restart: 'always',
  backoffMs: 100,
  maxBackoffMs: 100,
  minUptimeMs: 0,
  maxRestarts: 10,
  restartWindowMs: 1000,
  failedRetryMs: 1000,
}

function generation(number: number): Generation {
  return {
    number,
    group: 'blue',
    release: { id: 'r1', path: '/app', version: null },
    // The rest of a configuration is nothing to a group.
    config: POLICY as never,
    given: { script: '/app/app.js', cwd: '/app' },
    isPinned: false,
    own: {},
  }
}
