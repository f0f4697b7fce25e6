// One attempt to start a process: waits for its turn to boot, makes its output, forks. It ends when the process has
// become ready or is gone; a caller that has changed its mind cancels it.

import type { BootGate } from './boot-gate.ts'
import type { Identity, WorkerHandle } from './worker-handle.ts'
import type { Generation } from './worker-spec.ts'
import type { WorkerOutput } from '../telemetry/worker-output.ts'

export interface LaunchSteps {
  readonly gate: BootGate
  /** Rejects where something that the process needs cannot be had. */
  prepare(generation: Generation): Promise<void>
  makeOutput(incarnation: string): Promise<WorkerOutput>
  /** Throws when there is no process; `output` is the caller's to close then. */
  fork(identity: Identity, output: WorkerOutput): WorkerHandle
}

/** A boot that takes longer than this waits for something else than a CPU. */
const LONGEST_TURN_MS = 5000

export class Launch {
  readonly worker: number
  readonly generation: Generation
  /** Null until it is forked. */
  handle: WorkerHandle | null = null
  #leaveGate: () => void = () => {}
  #cancelled = false
  #turn: NodeJS.Timeout | undefined
  readonly #steps: LaunchSteps
  readonly #onFailure: (error: Error) => void

  /** `onFailure` is called when there is no process: what happens to one that there is, it tells itself. */
  constructor(worker: number, generation: Generation, steps: LaunchSteps, onFailure: (error: Error) => void) {
    this.worker = worker
    this.generation = generation
    this.#steps = steps
    this.#onFailure = onFailure
  }

  get isCancelled(): boolean {
    return this.#cancelled
  }

  begin(): void {
    this.#leaveGate = this.#steps.gate.enter(() => {
      // One that hangs must not keep the others out for the whole of its ready time-out.
      this.#turn = setTimeout(() => this.#leaveGate(), LONGEST_TURN_MS)
      this.#run().catch((error: unknown) => this.#fail(error))
    })
  }

  /** Frees the place at the gate; call it when the process is ready or gone. */
  finish(): void {
    clearTimeout(this.#turn)
    this.#leaveGate()
  }

  /** Nothing more is started. A process that already is, is the caller's to end. */
  cancel(): void {
    this.#cancelled = true
    this.finish()
  }

  async #run(): Promise<void> {
    const incarnation = newIncarnation()
    await this.#steps.prepare(this.generation)
    if (this.#cancelled) return
    const output = await this.#steps.makeOutput(incarnation)
    if (this.#cancelled) return output.close()
    try {
      this.handle = this.#steps.fork({ id: this.worker, incarnation, generation: this.generation }, output)
    } catch (error) {
      output.close()
      throw error
    }
  }

  #fail(error: unknown): void {
    this.finish()
    if (!this.#cancelled) this.#onFailure(error instanceof Error ? error : new Error(String(error)))
  }
}

/** Names a process in file names and on the link, so it is short; unique among the few that live at a time. */
function newIncarnation(): string {
  return Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0')
}
