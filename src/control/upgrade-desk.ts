// How a supervisor is followed by another one while it lives: the story from the wish to the last word, told from the side
// of the one that leaves.
//
// Rules
// 1. Until the new one says that it has everything, this one can take everything back, and does so when the new one dies,
//    fails or says nothing for too long. It is dead by then: never are two in charge.
// 2. From letting go to either end this one decides nothing: its clock is stopped.
// 3. A stop goes before an upgrade.

import { fromErrorBody, SuperviseError, textOf } from '../errors.ts'
import { instanceIsEnding } from '../errors/app.ts'
import { reached } from '../fault-points.ts'
import {
  inOneLine,
  justUpgraded,
  supervisorReplaced,
  upgradeRefused,
  upgradeUnderWay,
  upgradeWaits,
} from '../errors/upgrade.ts'
import { waitUntil } from '../supervisor/clock.ts'
import { collectSockets, nameOfListener } from '../supervisor/handed-sockets.ts'
import { linkVersions, whyNoLink } from '../supervisor/link-desk.ts'
import type { UpgradeOperations } from '../supervisor/operations.ts'
import type { ServiceManager } from '../supervisor/service-manager.ts'
import { Standstill, whatIsUnderWay } from '../supervisor/standstill.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { checkSuccessor } from './check-successor.ts'
import type { Entrances } from './entrances.ts'
import type { UpgradeRequest, UpgradeResult } from './messages.ts'
import type { SignalDesk } from './signal-desk.ts'
import { Successor, type SuccessorPlan } from './successor.ts'
import type { Offer, UpgradeCheck } from './upgrade-messages.ts'

const WAIT_MS = 60_000
/** To boot, and then to take everything. */
const PREPARE_MS = 10_000
const TAKE_MS = 10_000

/** What it has to do with. */
export interface UpgradePlace {
  readonly supervisor: Supervisor
  readonly entrances: Entrances
  readonly signals: SignalDesk
  readonly manager: ServiceManager
  /** What the next one is to be, as this one is. */
  readonly offer: Pick<Offer, 'detached' | 'isKept' | 'isBroughtBack' | 'logFormat' | 'admin' | 'stop'>
  readonly standIn: SuccessorPlan['standIn']
  /** Events were written by another process. */
  readonly eventsWritten: () => void
}

export class UpgradeDesk implements UpgradeOperations {
  /** Resolves when another supervisor is in charge. */
  readonly handedOver: Promise<Successor>
  /** Who is in charge instead; null as long as this one is. */
  successor: Successor | null = null
  readonly #place: UpgradePlace
  readonly #standstill: Standstill
  #resolve: (successor: Successor) => void = () => {}
  #isBusy = false
  readonly #listeners = new Set<(error: SuperviseError) => void>()
  /** Pending while nobody can say who is in charge. */
  #inCharge: Promise<void> = Promise.resolve()

  constructor(place: UpgradePlace) {
    this.#place = place
    this.#standstill = new Standstill(place.supervisor)
    this.handedOver = new Promise((resolve) => (this.#resolve = resolve))
  }

  whenInCharge(): Promise<void> {
    return this.#inCharge
  }

  onReplaced(listener: (error: SuperviseError) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async upgrade(request: UpgradeRequest, cause: string): Promise<UpgradeResult> {
    const { supervisor } = this.#place
    // Of a client that was here before the hand-over.
    if (this.successor !== null) throw justUpgraded(supervisor.name)
    if (this.#isBusy) throw upgradeUnderWay(supervisor.name)
    this.#isBusy = true
    try {
      return await this.#upgrade(request, cause)
    } catch (error) {
      const refusal = asRefusal(error, supervisor.name)
      if (request.dryRun !== true) this.#refused(refusal, cause)
      throw refusal
    } finally {
      this.#isBusy = false
    }
  }

  async #upgrade(request: UpgradeRequest, cause: string): Promise<UpgradeResult> {
    const { supervisor } = this.#place
    const { name } = supervisor
    const noLink = whyNoLink()
    if (noLink !== null) throw upgradeRefused(name, noLink)
    this.#refuseWhenEnding()
    const check = await checkSuccessor(request, name, linkVersions.newest)
    reached('upgrade.dryRun')
    const notes = await this.#judgeConfigs(check)
    const answer = { instance: name, from: supervisor.version, to: check.version, nodeVersion: check.nodeVersion }
    const rest = { ...answer, pid: process.pid, notes }
    if (request.dryRun === true) return { ...rest, dryRun: true, newPid: null, handOverMs: 0 }
    await this.#whenAtRest(request.waitMs ?? WAIT_MS)
    const successor = this.#start(request)
    reached('upgrade.started')
    try {
      await this.#expect(successor, 'prepared', PREPARE_MS)
      reached('upgrade.prepared')
      await this.#whenAtRest(request.waitMs ?? WAIT_MS)
    } catch (error) {
      await successor.kill()
      throw error
    }
    const handOverMs = await this.#handOver(successor, cause)
    return { ...rest, dryRun: false, newPid: successor.pid, handOverMs }
  }

  /** What neither of the two can read is no fault of the new one. */
  async #judgeConfigs(check: UpgradeCheck): Promise<readonly string[]> {
    const { supervisor } = this.#place
    const notes: string[] = []
    for (const { app, problem } of check.configs) {
      // oxlint-disable-next-line no-await-in-loop -- there is none as a rule
      const isReadHere = await supervisor.diff(app).then(
        () => true,
        () => false,
      )
      const text = `the configuration of "${app}" cannot be read (${problem})`
      if (isReadHere) throw upgradeRefused(supervisor.name, `version ${check.version} cannot take over: ${text}`)
      notes.push(`${text}, by this version neither: the next reload would be refused`)
    }
    return notes
  }

  async #whenAtRest(waitMs: number): Promise<void> {
    const { supervisor } = this.#place
    const underWay = () => whatIsUnderWay(supervisor)
    await waitUntil(supervisor.clock, waitMs, () => supervisor.isEnding || underWay().length === 0)
    this.#refuseWhenEnding()
    const left = underWay()
    if (left.length > 0) throw upgradeWaits(supervisor.name, left, waitMs)
  }

  #refuseWhenEnding(): void {
    const { supervisor } = this.#place
    if (supervisor.isEnding) throw instanceIsEnding(supervisor.name)
  }

  #start({ node, launcher }: UpgradeRequest): Successor {
    const { supervisor, manager, offer, standIn } = this.#place
    const { variables, descriptors } = manager.passedOn
    const { name: instance, version, apps } = supervisor
    const listeners = collectSockets(apps)
    const whole = { ...offer, version, pid: process.pid, listeners }
    return new Successor({ request: { node, launcher }, instance, offer: whole, variables, descriptors, standIn })
  }

  /** Rejects when it says anything else, or nothing. */
  async #expect(successor: Successor, type: 'prepared' | 'taken', withinMs: number): Promise<void> {
    const message = await successor.hear(withinMs)
    if (message.type === type) return
    const { name } = this.#place.supervisor
    const when = type === 'prepared' ? 'before it was ready' : 'while it took over'
    if (message.type === 'ended')
      throw upgradeRefused(name, `the new one was given up ${when}: ${message.why}`, successor.lastWords())
    if (message.type !== 'failed') throw upgradeRefused(name, `the new one said "${message.type}" ${when}`)
    const { message: text, lines } = fromErrorBody(message.error)
    throw upgradeRefused(name, `the new one failed ${when}`, [...text.split('\n'), ...lines])
  }

  async #handOver(successor: Successor, cause: string): Promise<number> {
    const { supervisor, entrances, signals } = this.#place
    const inCharge = Promise.withResolvers<void>()
    inCharge.promise.catch(() => undefined)
    this.#inCharge = inCharge.promise
    const begun = performance.now()
    try {
      signals.hold()
      const rests = this.#standstill.begin()
      await entrances.handOver()
      reached('upgrade.released')
      const listeners = collectSockets(supervisor.apps).map(nameOfListener)
      const changed = supervisor.watches.pending()
      successor.tell({ type: 'go', rests, listeners, cause, begunAt: performance.timeOrigin + begun, changed })
      await this.#expect(successor, 'taken', TAKE_MS)
      reached('upgrade.taken')
    } catch (error) {
      await successor.kill()
      await this.#takeBack(inCharge)
      throw error
    }
    signals.passOnTo(successor.pid)
    inCharge.reject(justUpgraded(supervisor.name))
    this.successor = successor
    this.#resolve(successor)
    // None is waited for: whoever takes this process apart must find that all was let go of.
    for (const listener of this.#listeners)
      void attempt(() => listener(supervisorReplaced(supervisor.name)), supervisor)
    await attempt(() => this.#standstill.letGo(), supervisor)
    await attempt(() => successor.letGo(), supervisor)
    return Math.round(performance.now() - begun)
  }

  async #takeBack(inCharge: PromiseWithResolvers<void>): Promise<void> {
    const { supervisor, entrances, signals, manager, eventsWritten } = this.#place
    try {
      await entrances.takeBack()
    } catch (error) {
      supervisor.internalError(error)
      // Somebody was faster, and has the workers: to go on beside it would be worse than to end as a crash would.
      if (error instanceof SuperviseError && error.code === 'INSTANCE_ALREADY_RUNS') endAsByCrash(error)
    }
    const parts = [
      eventsWritten,
      () => manager.takeOver(),
      () => entrances.takeLinkBack(),
      // In the same turn of the loop: who dials until then finds nobody, and tries again soon; who is sent away waits longer.
      () => this.#standstill.goOn(),
      () => signals.serve(supervisor),
    ]
    for (const part of parts) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other; what fails must not keep the rest from being taken back
      await attempt(part, supervisor)
    }
    inCharge.resolve()
  }

  #refused(refusal: SuperviseError, cause: string): void {
    const { supervisor } = this.#place
    supervisor.measures.supervisorUpgraded('refused')
    supervisor.eventLog.record({ type: 'upgradeRefused', app: null, text: inOneLine(refusal), cause }, 'warn')
  }
}

function endAsByCrash(error: SuperviseError): void {
  process.stderr.write(`${textOf(error)}\n`)
  process.kill(process.pid, 'SIGKILL')
}

async function attempt(part: () => unknown, supervisor: Pick<Supervisor, 'internalError'>): Promise<void> {
  try {
    await part()
  } catch (error) {
    supervisor.internalError(error)
  }
}

function asRefusal(error: unknown, name: string): SuperviseError {
  if (error instanceof SuperviseError) return error
  return upgradeRefused(name, 'it could not be carried out', textOf(error).split('\n'))
}
