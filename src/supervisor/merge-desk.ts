// The metrics that apps count by themselves: asks their workers for them, at every scrape and in between, and tells what
// cannot be merged. How they are put together is in telemetry/merged-metrics.ts.

import type { WorkerMessage } from '../protocol/messages.ts'
import type { Families } from '../telemetry/families.ts'
import type { Family } from '../telemetry/exposition.ts'
import type { Measures } from '../telemetry/measures.ts'
import type { Aggregators } from '../telemetry/merged-metrics.ts'
import { mergeWords, type MergeProblem } from '../telemetry/merged-names.ts'
import type { App } from './app.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** A scrape waits no longer for a worker. */
export const ANSWER_WITHIN_MS = 500
/** An app may load prom-client with its first requests. */
const LOADED_AFTER_MS = 10_000
/** Names that differ each time must not fill the memory. */
const MOST_TOLD = 500

/** What it needs of an app. */
type MergingApp = Pick<App, 'name' | 'config' | 'processes' | 'record'>
type MergingWorker = Pick<WorkerHandle, 'incarnation' | 'generation' | 'state' | 'isLinked' | 'send' | 'uptimeMs'>

interface Asked {
  id: number
  /** It was waited for in vain: until it answers no scrape waits for it again. */
  isLate: boolean
  readonly waiting: Set<{ readonly id: number; readonly answered: () => void }>
}

export class MergeDesk {
  readonly #measures: Measures
  readonly #apps: () => readonly MergingApp[]
  readonly #asked = new WeakMap<MergingWorker, Asked>()
  readonly #told = new Set<string>()
  #lastId = 0
  #aggregators: Aggregators = {}

  constructor(measures: Measures, apps: () => readonly MergingApp[]) {
    this.#measures = measures
    this.#apps = apps
  }

  /** Resolves when all have answered that can, at the bound at the latest. */
  async collect(): Promise<void> {
    const asked = this.#apps().flatMap((app) => this.#askAll(app))
    // Loaded where somebody merges: nobody else needs it before the text is written.
    if (asked.length > 0 || !this.#measures.merged.isEmpty) this.#aggregators = await loadAggregators()
    await Promise.all(asked)
  }

  /**
   * It is ready, or has just said that it has metrics: asked once, it tells them at the end of its drain by itself, however
   * soon that comes.
   */
  greet(worker: MergingWorker): void {
    const app = this.#appOf(worker)
    if (app !== undefined && this.#isWanted(app, worker)) void this.#ask(app, worker)
  }

  /** What a worker says of the app's own metrics. */
  heard(worker: MergingWorker, message: Extract<WorkerMessage, { type: 'appMetrics' }>): void {
    this.#answered(worker, message.id)
    const app = this.#appOf(worker)
    if (app === undefined) return
    const problems = this.#measures.merged.take(ownerOf(app, worker), worker.incarnation, message.metrics)
    for (const problem of problems) this.#tell(app, problem)
    if (message.problem !== null) this.#tell(app, { ...message.problem, subject: '' })
    if (message.registries === 0 && app.config.mergeMetrics && worker.uptimeMs() >= LOADED_AFTER_MS)
      this.#tell(app, { kind: 'missing', subject: '' })
  }

  addTo(families: Families): void {
    for (const { count, ...labels } of this.#measures.merged.series())
      families.add('supervise_merged_series', labels, count)
  }

  families(): readonly Family[] {
    const byName = new Map(this.#apps().map((app) => [app.name, app]))
    return this.#measures.merged.families(this.#aggregators, (name, problem) => {
      const app = byName.get(name)
      if (app !== undefined) this.#tell(app, problem)
    })
  }

  #askAll(app: MergingApp): Promise<void>[] {
    return [...app.processes()].flatMap((worker) => {
      const isAble = worker.isLinked && (worker.state === 'serving' || worker.state === 'draining')
      return isAble && this.#isWanted(app, worker) ? [this.#ask(app, worker)] : []
    })
  }

  #isWanted(app: MergingApp, { incarnation }: MergingWorker): boolean {
    return app.config.mergeMetrics || this.#measures.merged.hasOffered(incarnation)
  }

  #appOf({ generation }: MergingWorker): MergingApp | undefined {
    return this.#apps().find(({ name }) => name === generation.config.name)
  }

  #ask(app: MergingApp, worker: MergingWorker): Promise<void> {
    const asked = this.#askedOf(worker)
    const id = (this.#lastId += 1)
    asked.id = id
    const late = (): void => {
      asked.isLate = true
      this.#measures.mergeTimedOut(ownerOf(app, worker))
    }
    const answered = asked.isLate ? Promise.resolve(late()) : waitFor(asked, id, () => worker.isLinked && late())
    worker.send({ type: 'collect', id, defaults: app.config.mergeMetrics })
    return answered
  }

  #answered(worker: MergingWorker, id: number): void {
    const asked = this.#askedOf(worker)
    if (id === asked.id) asked.isLate = false
    for (const wait of asked.waiting) if (wait.id <= id) wait.answered()
  }

  #askedOf(worker: MergingWorker): Asked {
    let asked = this.#asked.get(worker)
    if (asked === undefined) this.#asked.set(worker, (asked = { id: 0, isLate: false, waiting: new Set() }))
    return asked
  }

  /** Once of each. */
  #tell(app: MergingApp, problem: MergeProblem): void {
    const key = `${app.name} ${problem.kind} ${problem.subject}`
    if (this.#told.has(key) || this.#told.size >= MOST_TOLD) return
    this.#told.add(key)
    app.record('metricsNotMerged', mergeWords(problem), 'policy metrics', 'warn')
  }
}

/** Resolves with the answer, or at the bound, when it was `late`. One that has left meanwhile need not answer. */
function waitFor({ waiting }: Asked, id: number, late: () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      waiting.delete(wait)
      resolve()
    }
    const wait = { id, answered: done }
    const timer = setTimeout(() => {
      late()
      done()
    }, ANSWER_WITHIN_MS)
    waiting.add(wait)
  })
}

async function loadAggregators(): Promise<Aggregators> {
  // Exported, and not in its type definitions.
  const aggregators: Aggregators = Reflect.get(await import('prom-client'), 'aggregators')
  return aggregators
}

function ownerOf(app: MergingApp, { generation }: MergingWorker) {
  return { app: app.name, group: generation.group, release: generation.release.id }
}
