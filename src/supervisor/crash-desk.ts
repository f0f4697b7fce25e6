// What is known of processes that hang or have crashed, from the moment it can be seen to the record that is kept.

import { diagnose } from '../telemetry/diagnosis.ts'
import type { Samples } from '../telemetry/samples.ts'
import type { App } from './app.ts'
import { describeCrash } from './crash-description.ts'
import type { CrashDescription } from './instance.ts'
import type { WorkerExit } from './worker-exit.ts'
import type { WorkerHandle } from './worker-handle.ts'

export class CrashDesk {
  readonly #samples: Samples
  /** What each process that hung was doing. */
  readonly #doing = new WeakMap<WorkerHandle, string>()

  constructor(samples: Samples) {
    this.#samples = samples
  }

  /** Notes what a process that hangs is doing, before it is ended. */
  async diagnose(worker: WorkerHandle): Promise<void> {
    const doing = await diagnose(worker.pid)
    if (doing !== null) this.#doing.set(worker, doing)
  }

  describe(app: App, worker: WorkerHandle, exit: WorkerExit, waitedFor: string | null): CrashDescription {
    return describeCrash({
      app: app.name,
      worker,
      exit,
      stderr: app.outputs.tailOf(worker),
      sample: this.#samples.of(worker.pid),
      waitedFor,
      doing: this.#doing.get(worker) ?? null,
      kernelKilled: exit.signal === 'SIGKILL' ? this.#samples.kernelKills.grewLately() : null,
    })
  }
}
