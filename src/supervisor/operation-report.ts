// What an operation tells while it runs and at its end, and the words that operations have in common.

import type { OperationResult, WorkerStep } from '../control/messages.ts'
import type { RolloutStage } from '../control/release-messages.ts'
import type { SuperviseError } from '../errors.ts'
import type { App } from './app.ts'
import type { Tell } from './operation-runner.ts'

/** Collects the steps of one operation and makes its result. */
export class Report {
  readonly #app: App
  readonly #kind: OperationResult['kind']
  readonly #tell: Tell
  readonly #startedAt: number
  readonly #steps = new Map<number, WorkerStep>()
  #requestsCut = 0
  /** Id of the release that it is about; null for none. */
  release: string | null = null

  constructor(app: App, kind: OperationResult['kind'], tell: Tell) {
    this.#app = app
    this.#kind = kind
    this.#tell = tell
    this.#startedAt = app.clock.now()
  }

  begin(text: string, workers: number): void {
    this.#tell({ type: 'begin', app: this.#app.name, kind: this.#kind, text, workers })
  }

  readonly step = (step: WorkerStep): void => {
    this.#requestsCut += step.requestsCut ?? 0
    this.#steps.set(step.worker, { ...this.#steps.get(step.worker), ...step })
    this.#tell({ type: 'step', app: this.#app.name, ...step })
  }

  readonly stage = (stage: RolloutStage): void => {
    this.#tell({ type: 'stage', app: this.#app.name, ...stage })
  }

  drained(worker: Parameters<App['drainStep']>[0]): void {
    this.step(this.#app.drainStep(worker))
  }

  succeed(text: string): OperationResult {
    return this.#result(true, text, null)
  }

  /** `text` says what is so now, where the error does not. */
  fail(error: SuperviseError, text = error.message): OperationResult {
    return this.#result(false, text, error)
  }

  #result(ok: boolean, text: string, error: SuperviseError | null): OperationResult {
    const { serving } = this.#app.counts()
    return {
      app: this.#app.name,
      kind: this.#kind,
      ...(this.release !== null && { release: this.release }),
      ok,
      text,
      tookMs: Math.round(this.#app.clock.now() - this.#startedAt),
      workers: serving,
      generation: this.#app.activeGroup.generation.number,
      requestsCut: this.#requestsCut,
      steps: [...this.#steps.values()],
      error: error?.toJSON() ?? null,
    }
  }
}

/** Worker ids. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

export function countOf(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}

export function serves(workers: number): string {
  return `${countOf(workers)} ${workers === 1 ? 'serves' : 'serve'}`
}

export function labelOf({ id, version }: { readonly id: string; readonly version: string | null }): string {
  return version === null ? id : `${id} ${version}`
}

/** As in "Still serving r12: 4 of 4 workers." */
export function whatServes(app: App): string {
  const { serving, wanted } = app.counts()
  return `Still serving ${labelOf(app.activeGroup.generation.release)}: ${serving} of ${countOf(wanted)}.`
}

/** A stop has come: nothing may be started any more. */
export function isEnding({ isStopped, activeGroup }: Pick<App, 'isStopped' | 'activeGroup'>): boolean {
  return isStopped || activeGroup.isStopping
}
