// Looking at every worker once a tick: does its loop answer, does its liveness probe, is it over a limit? What is found
// out is told to the owner; a worker that hangs is ended here.

import type { AppConfig } from '../config/app-config.ts'
import type { AppState } from '../control/messages.ts'
import { SHARE_COUNTS_AFTER_MS } from '../core/memory-share.ts'
import { withJitter } from '../core/restart-policy.ts'
import type { Sample } from '../telemetry/samples.ts'
import type { Clock } from './clock.ts'
import type { Instance } from './instance.ts'
import { ask } from './private-endpoint.ts'
import type { WorkerHandle } from './worker-handle.ts'

export type LimitName = 'maxMemory' | 'maxAge' | 'maxRequests' | 'replaceAdopted'

export interface HealthOwner {
  readonly clock: Clock
  readonly state: AppState
  /** Null while one release is alone. */
  readonly standbyGroup: object | null
  chance(): number
  sampleOf(pid: number): Pick<Sample, 'rssBytes'> | null
  /** Looks at what it is doing while it is still there. */
  hangs(worker: WorkerHandle): Promise<void>
  probeFailed(worker: WorkerHandle, problem: string, failures: number): void
  /** Resolves with whether it was replaced. */
  isOverLimit(worker: WorkerHandle, limit: LimitName, value: number): Promise<boolean>
}

interface Checked {
  readonly since: number
  readonly maxAgeMs: number | null
  readonly maxRequests: number | null
  /** When its limits are looked at again; never, while it is being replaced. */
  lookAgainAt: number
  isHanging: boolean
  nextProbeAt: number
}

type Probed = Pick<WorkerHandle, 'probeFailures' | 'isUp'> & {
  readonly generation: { readonly config: Pick<AppConfig, 'liveness'> }
}

/** Whether it does not only miss a beat: one failure may be the machine's. */
export function failsProbe({ probeFailures, generation, isUp }: Probed): boolean {
  const { liveness } = generation.config
  return isUp && liveness !== null && probeFailures >= Math.min(FAILURES_THAT_COUNT, liveness.failures)
}

const FAILURES_THAT_COUNT = 2

export class HealthWatch {
  readonly #owner: HealthOwner
  readonly #instance: Pick<Instance, 'workerShareBytes'>
  readonly #checked = new WeakMap<WorkerHandle, Checked>()

  constructor(owner: HealthOwner, instance: Pick<Instance, 'workerShareBytes'>) {
    this.#owner = owner
    this.#instance = instance
  }

  /** `stalledMs` is how long the supervisor itself was held up since the last tick. */
  tick(workers: Iterable<WorkerHandle>, stalledMs: number): void {
    for (const worker of workers) {
      if (stalledMs > 0) worker.forgive(stalledMs)
      if (worker.isUp) this.#check(worker, worker.generation.config)
    }
  }

  #check(worker: WorkerHandle, config: AppConfig): void {
    const checked = this.#checkedOf(worker, config)
    if (config.hangTimeoutMs > 0 && worker.isSilent(config.hangTimeoutMs)) return this.#end(worker, checked)
    this.#probe(worker, config, checked)
    this.#measure(worker, config, checked)
  }

  #end(worker: WorkerHandle, checked: Checked): void {
    if (checked.isHanging) return
    checked.isHanging = true
    void this.#owner.hangs(worker).finally(() => worker.kill('hang'))
  }

  #checkedOf(worker: WorkerHandle, config: AppConfig): Checked {
    const known = this.#checked.get(worker)
    if (known !== undefined) return known
    const jitter = (limit: number | null) => (limit === null ? null : withJitter(limit, this.#owner.chance()))
    const checked: Checked = {
      since: this.#owner.clock.now(),
      // Workers that were started together are not replaced together.
      maxAgeMs: jitter(config.maxAgeMs),
      maxRequests: jitter(config.maxRequests),
      lookAgainAt: 0,
      isHanging: false,
      nextProbeAt: this.#owner.clock.now() + (config.liveness?.everyMs ?? 0),
    }
    this.#checked.set(worker, checked)
    return checked
  }

  #measure(worker: WorkerHandle, config: AppConfig, checked: Checked): void {
    const isDue = () => this.#owner.clock.now() >= checked.lookAgainAt
    if (!isDue()) return
    const over = (limit: LimitName, value: number | null, max: number | null): void => {
      if (!isDue() || value === null || max === null || value <= max) return
      checked.lookAgainAt = Infinity
      void this.#owner.isOverLimit(worker, limit, value).then((isReplaced) => {
        // What kept the replacement from getting ready may pass.
        if (!isReplaced) checked.lookAgainAt = this.#owner.clock.now() + config.failedRetryMs
      })
    }
    // Its own alone: to replace it is no answer to a large child, and would end that child's work.
    over('maxMemory', this.#owner.sampleOf(worker.pid)?.rssBytes ?? null, this.#mostMemory(worker, config))
    over('maxAge', worker.uptimeMs(), checked.maxAgeMs)
    over('maxRequests', worker.vitals?.requests ?? null, checked.maxRequests)
    // Nothing is wrong with it, so it waits until nothing else is going on; the state is another while one is replaced.
    // A command that opens its port by itself could not be replaced without a gap.
    const isAtRest = this.#owner.state === 'online' && this.#owner.standbyGroup === null
    const adoptedMs = worker.adopted && isAtRest && !config.isCommand ? this.#owner.clock.now() - checked.since : null
    over('replaceAdopted', adoptedMs, config.replaceAdoptedMs || null)
  }

  #mostMemory(worker: WorkerHandle, { maxMemoryBytes }: AppConfig): number | null {
    if (maxMemoryBytes !== 'auto') return maxMemoryBytes
    return worker.uptimeMs() < SHARE_COUNTS_AFTER_MS ? null : this.#instance.workerShareBytes()
  }

  #probe(worker: WorkerHandle, config: AppConfig, checked: Checked): void {
    const { liveness } = config
    const now = this.#owner.clock.now()
    if (liveness === null || worker.endpoint === null || now < checked.nextProbeAt) return
    checked.nextProbeAt = now + Math.max(liveness.everyMs, liveness.withinMs)
    void ask(worker.endpoint, liveness.path, liveness.withinMs).then(({ problem }) => {
      if (!worker.isUp) return
      worker.probeFailures = problem === null ? 0 : worker.probeFailures + 1
      if (problem === null) return
      this.#owner.probeFailed(worker, problem, worker.probeFailures)
      if (worker.probeFailures >= liveness.failures) worker.kill('liveness')
    })
  }
}
