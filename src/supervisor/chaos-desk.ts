// Rehearsals of failures: what can be rehearsed on an app as it is, and the one rehearsal that an app may have. What comes
// next in it is decided in core/chaos.ts, and ends with whoever asked for it.

import type {
  ChaosOutlook,
  ChaosRequest,
  InstanceStatus,
  OperationResult,
  RehearsalStatus,
} from '../control/messages.ts'
import { FAULT_KINDS, type ChaosPlan, type Fault, type FaultKind } from '../core/chaos.ts'
import {
  lengthsOf,
  obstacleTo,
  supervisorPace,
  supervisorWaitMs,
  whyNot,
  type ChaosSetting,
} from '../core/chaos-limits.ts'
import { appIsBusy, appIsStopped, instanceIsEnding, unknownApp } from '../errors/app.ts'
import { cannotRehearse, chaosEndedEarly, notRecovered, nothingToRehearse } from '../errors/chaos.ts'
import { formatDuration } from '../config/quantities.ts'
import { nearest } from '../config/suggest.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { Measures } from '../telemetry/measures.ts'
import type { App } from './app.ts'
import { faultWords } from './fault-words.ts'
import { Report } from './operation-report.ts'
import type { ChaosOperations, OperationContext } from './operations.ts'
import type { ProbeDesk } from './probe-desk.ts'
import { publicPlaces } from './probe-targets.ts'
import { Rehearsal } from './rehearsal.ts'

export interface ChaosOwner {
  readonly apps: readonly App[]
  readonly eventLog: EventLog
  readonly measures: Measures
  readonly probes: Pick<ProbeDesk, 'lendHeaders'>
  readonly name: string
  readonly isEnding: boolean
  status(): Pick<InstanceStatus, 'keptBy'>
  rolloutOf(app: App): { readonly step: string } | null
}

const USUAL = FAULT_KINDS.filter((kind) => kind !== 'supervisor')
/** Before the first fault, so that there is something to compare with. */
const CALM_MS = 3000
/** How long an app has to be whole again after a fault, beyond its own time. */
const SETTLE_MS = 30_000
/** The line that announces it goes out before. */
const LAST_WORDS_MS = 100
/** Steps of a rollout in which nothing is on the move. */
const AT_REST = ['awaiting', 'retiring', 'withdrawn', 'done']

export class ChaosDesk implements ChaosOperations {
  readonly #owner: ChaosOwner
  readonly #killSupervisor: () => void
  readonly #running = new Map<App, Rehearsal>()

  constructor(owner: ChaosOwner, killSupervisor = () => void process.kill(process.pid, 'SIGKILL')) {
    this.#owner = owner
    this.#killSupervisor = killSupervisor
  }

  statusOf(app: App): RehearsalStatus | null {
    return this.#running.get(app)?.status ?? null
  }

  outlook(name: string, forMs: number): ChaosOutlook {
    const app = this.#find(name)
    const setting = this.#settingOf(app, forMs)
    const lengths = lengthsOf(setting)
    const pace = supervisorPace(setting.keptBy)
    const faults = FAULT_KINDS.map((kind) => ({
      kind,
      lengthMs: lengths[kind],
      text: kind === 'supervisor' && pace !== null ? `${faultWords(kind)}, ${pace}` : faultWords(kind),
      whyNot: whyNot(kind, setting),
    }))
    return { app: name, serving: setting.serving, faults, busy: this.#busyWith(app) }
  }

  async run(name: string, request: ChaosRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#find(name)
    const kinds = this.#kindsFor(app, request)
    const plan = this.#planFor(app, kinds, request)
    const report = new Report(app, 'chaos', context.progress)
    const words = `${kinds.join(', ')} for ${formatDuration(request.forMs)}, seed ${plan.seed}`
    const leftOut = request.only === undefined ? USUAL.filter((kind) => !kinds.includes(kind)) : []
    report.begin(
      `rehearses ${words}${leftOut.length === 0 ? '' : ` (left out: ${leftOut.join(', ')})`}`,
      app.counts().serving,
    )
    const rehearsal = this.#make(app, plan, request, context)
    this.#running.set(app, rehearsal)
    try {
      this.#greet(app, plan, context)
      app.record('chaosBegan', `a rehearsal of failures begins: ${words}`, context.cause, 'warn')
      const { faults, recovered, endedBecause } = await rehearsal.run()
      const because = endedBecause === null ? '' : `; ended early: ${endedBecause}`
      const text = `${faults} ${faults === 1 ? 'fault' : 'faults'}, recovered from ${recovered}${because}`
      app.record('chaosEnded', `the rehearsal is over: ${text}`, context.cause)
      if (endedBecause !== null) return report.fail(chaosEndedEarly(name, endedBecause), text)
      return recovered === faults ? report.succeed(text) : report.fail(notRecovered(name, faults - recovered), text)
    } finally {
      this.#running.delete(app)
    }
  }

  /** Tells whoever asked where to ask the app in the meantime. */
  #greet(app: App, { seed, kinds }: ChaosPlan, { progress }: OperationContext): void {
    const headers = this.#owner.probes.lendHeaders(app)
    progress({ type: 'rehearsal', app: app.name, seed, kinds, places: publicPlaces(app) ?? [], headers })
  }

  #planFor(app: App, kinds: readonly FaultKind[], { forMs, everyMs, seed }: ChaosRequest): ChaosPlan {
    const setting = this.#settingOf(app, forMs)
    const now = app.clock.now()
    return {
      kinds,
      everyMs,
      endsAt: now + forMs,
      seed: seed ?? Math.floor(Math.random() * 1e6),
      lengthsMs: lengthsOf(setting),
      settleMs: SETTLE_MS,
      supervisorFrom: now + supervisorWaitMs(setting),
    }
  }

  #make(app: App, plan: ChaosPlan, request: ChaosRequest, context: OperationContext): Rehearsal {
    const { duringRollout = false, memoryBytes = null, delayMs = 200, everyMs, done = [] } = request
    // What was measured before the supervisor was killed is enough.
    const firstAt = app.clock.now() + (done.length === 0 ? CALM_MS : everyMs)
    return new Rehearsal(
      app,
      { plan, sizes: { memoryBytes, delayMs }, firstAt, done },
      {
        isBusy: () => !duringRollout && this.#busyWith(app) !== null,
        whyEnd: () => this.#whyEnd(app, context),
        tell: (step) => context.progress({ type: 'fault', app: app.name, ...step }),
        warning: () => this.#warningFor(app),
        record: (fault, text) => this.#record(app, fault, text, context.cause),
        killSupervisor: () => void setTimeout(this.#killSupervisor, LAST_WORDS_MS),
      },
    )
  }

  #whyEnd(app: App, { left }: OperationContext): string | null {
    if (left?.aborted === true) return 'whoever asked for it has gone'
    if (this.#owner.isEnding || app.isStopped || app.operations.current?.kind === 'stop')
      return 'the app is being stopped'
    return null
  }

  #warningFor(app: App): string {
    if (this.#owner.rolloutOf(app)?.step !== 'baking') return ''
    return `; ${app.activeGroup.generation.release.id} is watched, and may be taken back because of it`
  }

  #record(app: App, { n, kind, worker }: Fault, text: string, cause: string): void {
    const { release, group } = app.activeGroup.generation
    const whose = worker === null ? {} : { group, release: release.id, worker: worker.id, pid: worker.pid }
    const draft = { type: 'chaosFault' as const, app: app.name, ...whose, text: `rehearsed: ${text}`, cause }
    this.#owner.eventLog.record({ ...draft, data: { fault: kind, n } }, 'warn')
    this.#owner.measures.rehearsed(app.name, kind)
  }

  /** Refuses what makes no sense or would do harm. */
  #kindsFor(app: App, { only, forMs, done = [], duringRollout = false }: ChaosRequest): readonly FaultKind[] {
    if (this.#owner.isEnding) throw instanceIsEnding(this.#owner.name)
    if (app.isStopped) throw appIsStopped(app.name, 'rehearse failures of')
    if (this.#running.has(app)) throw appIsBusy(app.name, 'rehearse failures of', 'rehearsal')
    const busy = duringRollout ? null : this.#busyWith(app)
    if (busy !== null) throw appIsBusy(app.name, 'rehearse failures of', busy)
    // It was looked at when it began, and what has no time left is not done.
    if (only !== undefined && done.length > 0) return only
    const setting = this.#settingOf(app, forMs)
    const wanted = only ?? USUAL
    const refused = wanted.flatMap((kind) => {
      const obstacle = obstacleTo(kind, setting)
      return obstacle === null ? [] : [{ kind, ...obstacle }]
    })
    const [first] = refused
    if (only !== undefined && first !== undefined) throw cannotRehearse(app.name, first.kind, first)
    const kinds = wanted.filter((kind) => !refused.some((one) => one.kind === kind))
    const lines = refused.map(({ kind, why }) => `${kind}: ${why}`)
    // Delays alone are not what somebody means who asks for a rehearsal of everything.
    if (!kinds.some((kind) => kind !== 'delay') && only === undefined)
      throw nothingToRehearse(app.name, lines, kinds.length > 0)
    return [...new Set(kinds)]
  }

  #settingOf(app: App, forMs: number): ChaosSetting {
    const { config } = app
    const { keptBy } = this.#owner.status()
    return {
      serving: app.counts().serving,
      hasAgent: !config.isCommand,
      restarts: config.restart !== 'never',
      keptBy: isKept(keptBy) ? keptBy.who : 'nobody',
      supervisorAgeMs: process.uptime() * 1000,
      hangTimeoutMs: config.hangTimeoutMs,
      hasMemoryLimit: config.maxMemoryBytes !== null,
      forMs,
    }
  }

  #busyWith(app: App): string | null {
    const rollout = this.#owner.rolloutOf(app)
    if (rollout !== null && !AT_REST.includes(rollout.step)) return 'rollout'
    return app.operations.current?.kind ?? null
  }

  #find(name: string): App {
    const names = this.#owner.apps.map((app) => app.name)
    const app = this.#owner.apps.find((one) => one.name === name)
    if (app === undefined) throw unknownApp(name, names, nearest(name, names))
    return app
  }
}

/** A keeper that died is there again in a moment: a kill in between would leave nobody. */
function isKept({ who, pid }: InstanceStatus['keptBy']): boolean {
  return who === 'keeper' ? pid !== null : who !== 'nobody'
}
