// Black-box probes: asks every place at its pace, keeps what came of it, and tells what changes. What is asked where,
// `probe-targets.ts` says; when something fails, `core/probe-state.ts`.

import { randomUUID } from 'node:crypto'
import type { ProbeStatus } from '../control/messages.ts'
import { PROBE_HEADER } from '../protocol/probe-header.ts'
import { NOT_PROBED, stepProbe, type ProbeNews, type ProbeState } from '../core/probe-state.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { Families } from '../telemetry/families.ts'
import type { Measures } from '../telemetry/measures.ts'
import type { App } from './app.ts'
import type { Clock } from './clock.ts'
import { askPlace, type Place, type ProbeAnswer } from './probe-question.ts'
import { HEADERS, mayBeBack, publicPlaces, targetsOf, type ProbeTarget } from './probe-targets.ts'
import { probeFailed, probeRecovered } from './probe-words.ts'
import type { WorkerChannel, WorkerHandle } from './worker-handle.ts'

/** Those that begin together are not asked all in the same moment, and yet soon. */
const FIRST_WITHIN_MS = 1000

export interface ProbeSource {
  readonly clock: Pick<Clock, 'now'>
  readonly eventLog: EventLog
  readonly measures: Measures
}

/** What is known of one place. */
interface Asked {
  target: ProbeTarget
  dueAt: number
  isAwaited: boolean
  /** It is asked now, and not only remembered. */
  isThere: boolean
  last: ProbeAnswer | null
  state: ProbeState
}

interface AppProbes {
  places: readonly Place[]
  readonly asked: Map<string, Asked>
  /** Paths that were found to have nowhere to be asked, and told of. */
  readonly missing: Set<string>
}

export class ProbeDesk {
  readonly #source: ProbeSource
  /** Of this supervisor alone: nobody else can have its requests left out of the figures. */
  readonly #secret = randomUUID()
  readonly #apps = new Map<App, AppProbes>()
  /** Whom the secret was told by now, at the latest. */
  readonly #told = new WeakSet<WorkerHandle>()
  /** Somebody else asks in our name. */
  readonly #lent = new WeakSet<App>()

  constructor(source: ProbeSource) {
    this.#source = source
  }

  /** The link of one of its workers is up: before that worker has a connection it knows which requests are ours. */
  greet(app: App, channel: Pick<WorkerChannel, 'send'>): void {
    if (app.config.probes.some(isPublic) || this.#lent.has(app))
      channel.send({ type: 'expectProbes', secret: this.#secret })
  }

  /** Headers by which workers know requests of ours, for somebody else who asks at the app's public address. */
  lendHeaders(app: App): Readonly<Record<string, string>> {
    this.#lent.add(app)
    for (const worker of app.processes()) this.greet(app, worker)
    return { [PROBE_HEADER]: this.#secret, ...HEADERS }
  }

  tick(apps: Iterable<App>): void {
    for (const app of apps) this.#tick(app)
    for (const app of this.#apps.keys()) if (app.isStopped) this.#apps.delete(app)
  }

  status(app: App): readonly ProbeStatus[] {
    const now = this.#source.clock.now()
    return this.#askedNow(app).map(({ target, last, state }) => ({
      probe: target.probe.name,
      target: target.name,
      outcome: last?.outcome ?? null,
      problem: last?.problem ?? null,
      tookMs: last === null ? null : Math.round(last.tookMs * 10) / 10,
      failures: state.failures,
      failing: state.isFailing,
      badForSeconds: state.since === null ? null : Math.round((now - state.since) / 100) / 10,
    }))
  }

  addTo(families: Families, app: App): void {
    for (const { target, last, state } of this.#askedNow(app)) {
      if (last === null) continue
      const labels = { app: app.name, probe: target.probe.name, target: target.name }
      families.add('supervise_probe_success', labels, last.outcome === 'ok' ? 1 : 0)
      families.add('supervise_probe_failing', labels, state.isFailing ? 1 : 0)
      families.add('supervise_probe_duration_seconds', labels, last.tookMs / 1000)
    }
  }

  #askedNow(app: App): readonly Asked[] {
    return [...(this.#apps.get(app)?.asked.values() ?? [])].filter(({ isThere }) => isThere)
  }

  #tick(app: App): void {
    const operation = app.operations.current?.kind
    if (app.isStopped || operation === 'start' || operation === 'stop') return
    if (app.config.probes.length === 0) return void this.#apps.delete(app)
    const places = publicPlaces(app)
    let known = this.#apps.get(app)
    // Before it has served for the first time nothing can be said of it.
    if (known === undefined && places === null) return
    if (known === undefined) this.#apps.set(app, (known = { places: [], asked: new Map(), missing: new Set() }))
    known.places = places ?? known.places
    this.#greetAll(app)
    const targets = targetsOf(app, known.places, this.#secret)
    this.#forget(app, known, targets)
    for (const target of targets) this.#ask(app, this.#askedOf(known, target))
    if (known.places.length === 0) this.#tellMissing(app, known)
  }

  /** Those whose link was up before the configuration had a probe. */
  #greetAll(app: App): void {
    for (const worker of app.processes()) {
      if (!worker.isLinked || this.#told.has(worker)) continue
      this.#told.add(worker)
      this.greet(app, worker)
    }
  }

  /** What the configuration has no more, or asks for something else; and workers that are not wanted. */
  #forget(app: App, { asked }: AppProbes, targets: readonly ProbeTarget[]): void {
    const keys = new Set(targets.map(keyOf))
    const probes = new Set(app.config.probes.map((probe) => JSON.stringify(probe)))
    for (const [key, one] of asked) {
      one.isThere = keys.has(key)
      const mayStay = probes.has(JSON.stringify(one.target.probe)) && mayBeBack(app, one.target.name)
      if (!mayStay) asked.delete(key)
    }
  }

  #askedOf({ asked }: AppProbes, target: ProbeTarget): Asked {
    const key = keyOf(target)
    const known = asked.get(key)
    if (known !== undefined) return Object.assign(known, { target })
    const dueAt = this.#source.clock.now() + Math.random() * FIRST_WITHIN_MS
    const fresh: Asked = { target, dueAt, isAwaited: false, isThere: true, last: null, state: NOT_PROBED }
    asked.set(key, fresh)
    return fresh
  }

  #ask(app: App, asked: Asked): void {
    const now = this.#source.clock.now()
    if (asked.isAwaited || now < asked.dueAt) return
    const { everyMs } = asked.target.probe
    asked.dueAt = Math.max(asked.dueAt + everyMs, now + everyMs / 2)
    asked.isAwaited = true
    const { target } = asked
    void Promise.all(target.questions.map(askPlace)).then((answers) => {
      asked.isAwaited = false
      this.#answered(app, asked, target, worstOf(answers))
    })
  }

  #answered(app: App, asked: Asked, target: ProbeTarget, answer: ProbeAnswer | undefined): void {
    if (answer === undefined || this.#apps.get(app)?.asked.get(keyOf(target)) !== asked) return
    const isGood = answer.outcome === 'ok'
    // It left while it was asked, or all of the app does: that is no failure.
    const isLeaving = app.operations.current?.kind === 'stop' || app.isStopped
    if (!isGood && (isLeaving || (target.worker !== null && target.worker.state !== 'serving'))) return
    const { probe, kind } = target
    this.#source.measures.probed({ app: app.name, probe: probe.name, target: kind, outcome: answer.outcome })
    asked.last = answer
    const { state, news } = stepProbe(asked.state, isGood, this.#source.clock.now(), probe.failures)
    asked.state = state
    if (news !== null) this.#tell(app, target, answer, news)
  }

  #tell(app: App, target: ProbeTarget, answer: ProbeAnswer, news: ProbeNews): void {
    const { eventLog } = this.#source
    if (news.type === 'failed') eventLog.record(probeFailed(app.name, target, answer, news.failures), 'warn')
    else eventLog.record(probeRecovered(app.name, target, news))
  }

  #tellMissing(app: App, { missing }: AppProbes): void {
    for (const { name, what } of app.config.probes) {
      if (what.by === 'url' || missing.has(name)) continue
      missing.add(name)
      app.record('probeIdle', `probe ${name} asks nobody: no server of the app speaks HTTP`, 'policy probes', 'warn')
    }
  }
}

function isPublic({ what }: ProbeTarget['probe']): boolean {
  return what.by === 'path'
}

function keyOf({ probe, name }: ProbeTarget): string {
  return JSON.stringify([probe, name])
}

/** The first that is bad; of good ones the slowest. */
function worstOf(answers: readonly ProbeAnswer[]): ProbeAnswer | undefined {
  const bad = answers.find(({ outcome }) => outcome !== 'ok')
  return bad ?? answers.toSorted((a, b) => b.tookMs - a.tookMs)[0]
}
