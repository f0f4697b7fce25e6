// Readings of what the processes take, and the last hour of each.

import type { AppSamples, WorkerResources } from '../control/messages.ts'
import { POINT_EVERY_MS, ResourceHistory } from '../telemetry/resource-history.ts'
import { Samples, type Sample } from '../telemetry/samples.ts'
import type { Clock } from './clock.ts'
import type { WorkerHandle } from './worker-handle.ts'

type Taken = (samples: ReadonlyMap<number, Sample>) => void

/** Whose processes they are. */
interface Owner {
  readonly name: string
  processes(): Iterable<WorkerHandle>
}

export class SampleDesk {
  readonly samples: Samples
  readonly #clock: Pick<Clock, 'now'>
  /** A history ends with its process. */
  readonly #histories = new WeakMap<WorkerHandle, ResourceHistory>()

  /** `taken` sees each reading of the processes that there are. */
  constructor(clock: Pick<Clock, 'now'>, processes: () => Iterable<WorkerHandle>, taken: Taken) {
    this.#clock = clock
    this.samples = new Samples({
      pids: () => [...processes()].map(({ pid }) => pid),
      onTaken: (samples) => {
        for (const worker of processes()) this.#note(worker, samples.get(worker.pid))
        taken(samples)
      },
    })
    this.samples.start()
  }

  /** The hour of each process, point by point. */
  of(app: Owner): AppSamples {
    const now = this.#clock.now()
    const workers = [...app.processes()].flatMap((worker) => {
      const series = this.#histories.get(worker)?.series(now)
      if (series === undefined) return []
      const { release, group } = worker.generation
      return [{ id: worker.id, pid: worker.pid, group, release: release.id, ...series }]
    })
    return { app: app.name, everySeconds: POINT_EVERY_MS / 1000, workers }
  }

  /** The hour of each process in a few figures. */
  summaries(processes: Iterable<WorkerHandle>): readonly WorkerResources[] {
    const now = this.#clock.now()
    return [...processes].flatMap((worker) => {
      const summary = this.#histories.get(worker)?.summary(now) ?? null
      return summary === null ? [] : [{ id: worker.id, pid: worker.pid, ...summary }]
    })
  }

  #note(worker: WorkerHandle, sample: Sample | undefined): void {
    if (sample === undefined) return
    let history = this.#histories.get(worker)
    if (history === undefined) this.#histories.set(worker, (history = new ResourceHistory()))
    history.add(this.#clock.now(), sample, worker.vitals?.loopDelayMs ?? null)
  }
}
