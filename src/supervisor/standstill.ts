// A supervisor that stands still, since another one is about to take its place: its clock is stopped, its links are ended,
// what workers write is left to the other, and nothing of it is written any more. It can go on as if it had only been held
// up, or let go for good.

import type { Rests } from '../telemetry/worker-output.ts'
import { forsakeWorkers } from './fork.ts'
import type { Supervisor } from './supervisor.ts'

/** What was read of unfinished lines, by incarnation. */
export type RestsByWorker = Readonly<Record<string, Rests>>

/** Steps of a rollout that end by an answer and not by the clock: it would come to a supervisor that is not in charge any more. */
const STEPS_WITH_ANSWERS: readonly string[] = ['smoking', 'flipping', 'goingBack']

/** What keeps it from standing still, in words: what has been begun and is not yet written down. Empty when nothing does. */
export function whatIsUnderWay(supervisor: Pick<Supervisor, 'apps' | 'chaos' | 'rolloutOf'>): readonly string[] {
  return supervisor.apps.flatMap((app) => {
    const kind = app.operations.current?.kind
    if (kind !== undefined) return [`the ${kind} of "${app.name}"`]
    // One that a person promoted, that failed by itself, or that an earlier supervisor began.
    const step = supervisor.rolloutOf(app)?.step ?? ''
    if (STEPS_WITH_ANSWERS.includes(step)) return [`the rollout of "${app.name}" (${step})`]
    if (supervisor.chaos.statusOf(app) !== null) return [`the rehearsal of failures of "${app.name}"`]
    return app.bothGroups().some((group) => [...group.places.values()].some(({ launch }) => launch?.handle === null))
      ? [`the start of a worker of "${app.name}"`]
      : []
  })
}

export class Standstill {
  readonly #supervisor: Supervisor
  #rests: Record<string, Rests> = {}

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
  }

  /** In one turn of the loop, so that what is written is how things are. Where it throws, `goOn` takes back what was done. */
  begin(): RestsByWorker {
    const supervisor = this.#supervisor
    supervisor.saveNow()
    supervisor.clock.stop()
    supervisor.metrics.standStill()
    supervisor.crashDesk.books.close()
    this.#rests = {}
    for (const [app, worker] of this.#workers()) {
      worker.unlink()
      this.#rests[worker.incarnation] = app.outputs.standStill(worker)
    }
    return this.#rests
  }

  /** The other one did not take its place. The workers dial as soon as there is a link. */
  goOn(): void {
    const supervisor = this.#supervisor
    const { crashDesk, clock, metrics } = supervisor
    for (const [app, worker] of this.#workers())
      this.#attempt(() => app.outputs.goOn(worker, this.#rests[worker.incarnation] ?? []))
    // Before the clock, which tells of those that died meanwhile.
    this.#attempt(() => crashDesk.books.goOn())
    this.#attempt(() => metrics.goOn())
    clock.goOn()
    supervisor.saveNow()
  }

  /** Of what stood still, each part goes on by itself. */
  #attempt(part: () => void): void {
    try {
      part()
    } catch (error) {
      this.#supervisor.internalError(error)
    }
  }

  /** The other one has everything: what this process still holds open closes, and nothing ends by it. */
  letGo(): void {
    for (const [app, worker] of this.#workers()) {
      app.outputs.letGo(worker)
      worker.unlink()
    }
    forsakeWorkers()
    for (const { lending, sockets } of this.#supervisor.apps)
      for (const listener of [...lending.places(), ...sockets.places()]) if (!listener.isForeign) listener.letGo()
  }

  #workers() {
    return this.#supervisor.apps.flatMap((app) => [...app.processes()].map((worker) => [app, worker] as const))
  }
}
