// Runs a rehearsal of failures from here: the supervisor does the faults as long as the connection is open, and users are played
// by this process, so that what they see is seen also while the supervisor is killed.

import { setTimeout as pause } from 'node:timers/promises'
import type { ChaosRequest, CrashList, InstanceStatus, OperationResult, ProgressLine } from '../control/messages.ts'
import type { FaultKind } from '../control/chaos-messages.ts'
import { RehearsalProbe, type ProbeOptions } from '../control/rehearsal-probe.ts'
import { SuperviseError } from '../errors.ts'
import type { FaultSeen, ReportFacts } from './chaos-report.ts'
import type { AppTarget } from './instances.ts'
import { appPath } from './operation.ts'

export interface ChaosOrder {
  readonly request: ChaosRequest
  readonly probe: ProbeOptions
  /** Ends early when a larger share of the probe's requests of the last seconds failed. */
  readonly stopWhen: number
}

export interface ChaosOutcome extends ReportFacts {
  readonly seed: number | null
  readonly interrupted: boolean
}

const WINDOW_MS = 10_000
/** Fewer say nothing. */
const FEWEST_ASKED = 20
const LOOK_EVERY_MS = 100
const BACK_WITHIN_MS = 30_000
const UNDONE_WITHIN_MS = 3000
/** What was under way at a fault's end has its answer by then. */
const LAST_ANSWERS_MS = 300

const INTERRUPTED = 'it was interrupted'

export async function runChaos(
  target: AppTarget,
  order: ChaosOrder,
  tell: (line: ProgressLine) => void,
): Promise<ChaosOutcome> {
  const run = new ChaosRun(target, order, tell)
  const interrupt = (): void => run.end(INTERRUPTED)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt)
  const watch = setInterval(() => run.watch(), LOOK_EVERY_MS)
  try {
    return await run.run()
  } finally {
    clearInterval(watch)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, interrupt)
  }
}

class ChaosRun {
  readonly #target: AppTarget
  readonly #order: ChaosOrder
  readonly #tell: (line: ProgressLine) => void
  readonly #probe: RehearsalProbe
  readonly #controller = new AbortController()
  readonly #startedAt = performance.now()
  readonly #faults: FaultSeen[] = []
  #seed: number | null
  #endedBecause: string | null = null

  constructor(target: AppTarget, order: ChaosOrder, tell: (line: ProgressLine) => void) {
    this.#target = target
    this.#order = order
    this.#tell = tell
    this.#probe = new RehearsalProbe(order.probe)
    this.#seed = order.request.seed ?? null
  }

  /** The supervisor sees the connection end, and undoes what it can. */
  end(why: string): void {
    this.#endedBecause ??= why
    this.#controller.abort(new Error(why))
  }

  watch(): void {
    const share = this.#probe.failureShare(WINDOW_MS, FEWEST_ASKED)
    if (share !== null && share > this.#order.stopWhen)
      this.end(
        `${percent(share)} of the requests of the last ${WINDOW_MS / 1000} s failed (--stop-when ${percent(this.#order.stopWhen)})`,
      )
  }

  async run(): Promise<ChaosOutcome> {
    try {
      // Another supervisor goes on where the one that was killed was.
      // oxlint-disable-next-line no-await-in-loop
      while ((await this.#goAlong()) === 'supervisorKilled') if (!(await this.#isBack())) break
    } finally {
      await pause(LAST_ANSWERS_MS)
      await this.#probe.stop()
      await this.#untilUndone()
    }
    return {
      asked: this.#probe.asked,
      faults: this.#faults,
      crashes: await this.#crashes(),
      endedBecause: this.#endedBecause,
      seed: this.#seed,
      interrupted: this.#endedBecause === INTERRUPTED,
    }
  }

  async #goAlong(): Promise<'over' | 'supervisorKilled'> {
    const { client, app } = this.#target
    const body = this.#nextRequest()
    if (body === null) return 'over'
    const { signal } = this.#controller
    try {
      for await (const line of client.stream<ProgressLine>('POST', appPath(app.name, 'chaos'), { body, signal })) {
        if (line.type === 'result') this.#take(line.result)
        else this.#hear(line)
      }
      return 'over'
    } catch (error) {
      if (signal.aborted) return 'over'
      if (this.#current?.kind === 'supervisor') return 'supervisorKilled'
      this.#continueStopped()
      if (this.#faults.length === 0 || !(error instanceof SuperviseError)) throw error
      // What was seen until then is told all the same.
      this.#endCurrent({ state: 'givenUp' })
      this.#endedBecause ??= error.message
      return 'over'
    }
  }

  /** What is left to do; null when there is no time left. */
  #nextRequest(): ChaosRequest | null {
    const { request } = this.#order
    if (this.#faults.length === 0) return request
    const forMs = Math.round(request.forMs - (performance.now() - this.#startedAt))
    if (forMs < 1000) return null
    const done: readonly FaultKind[] = this.#faults.map(({ kind }) => kind)
    return { ...request, forMs, done, ...(this.#seed !== null && { seed: this.#seed }) }
  }

  #hear(line: ProgressLine): void {
    const isFirst = this.#faults.length === 0
    if (line.type === 'begin' ? isFirst : line.type === 'fault') this.#tell(line)
    if (line.type === 'rehearsal') {
      this.#seed = line.seed
      this.#probe.pointAt(line.places, line.headers)
    }
    if (line.type !== 'fault') return
    const { type: _type, app: _app, text: _text, ...step } = line
    const now = performance.now()
    if (step.state === 'began') this.#faults.push({ ...step, at: now, until: null })
    else this.#endCurrent(step)
  }

  #endCurrent(change: Partial<FaultSeen>): void {
    const current = this.#current
    if (current !== null) this.#faults[this.#faults.length - 1] = { ...current, ...change, until: performance.now() }
  }

  get #current(): FaultSeen | null {
    const last = this.#faults.at(-1)
    return last?.until === null ? last : null
  }

  /** What is amiss with the app itself is in the faults. */
  #take({ error }: OperationResult): void {
    if (error?.code === 'CHAOS_ENDED_EARLY') this.#endedBecause ??= error.lines[0] ?? error.message
  }

  /** The supervisor died by itself: what it had stopped would stay so until the next one sees to it. */
  #continueStopped(): void {
    const current = this.#current
    if (current?.kind !== 'stop' || current.pid === null) return
    try {
      process.kill(current.pid, 'SIGCONT')
    } catch {}
  }

  /** Waits until another supervisor has taken everything over. */
  async #isBack(): Promise<boolean> {
    const current = this.#current
    if (current === null) return false
    // The one that is killed has a rehearsal on.
    const isWhole = ({ apps }: InstanceStatus): boolean => {
      const app = apps.find(({ name }) => name === this.#target.app.name)
      return app?.rehearsal === null && app.state === 'online' && app.operation === null
    }
    const isBack = await this.#until(BACK_WITHIN_MS, isWhole, this.#controller.signal)
    if (!isBack && this.#controller.signal.aborted) return false
    const tookMs = Math.round(performance.now() - current.at)
    const state = isBack ? 'recovered' : 'notRecovered'
    const text = isBack
      ? `another supervisor has taken over after ${(tookMs / 1000).toFixed(1)} s`
      : 'no supervisor is back'
    const { at: _at, until: _until, ...step } = current
    this.#tell({ type: 'fault', app: this.#target.app.name, ...step, state, text, tookMs })
    this.#endCurrent({ state, tookMs: isBack ? tookMs : null })
    return isBack
  }

  async #untilUndone(): Promise<void> {
    if (this.#endedBecause === null) return
    const { name } = this.#target.app
    await this.#until(
      UNDONE_WITHIN_MS,
      ({ apps }) => (apps.find((app) => app.name === name)?.rehearsal ?? null) === null,
    )
  }

  async #until(withinMs: number, isSo: (status: InstanceStatus) => boolean, signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + withinMs
    while (performance.now() < deadline) {
      if (signal?.aborted === true) return false
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      const status = await this.#target.client.get<InstanceStatus>('/v1/status').catch(() => null)
      if (status !== null && isSo(status)) return true
      // oxlint-disable-next-line no-await-in-loop
      await pause(LOOK_EVERY_MS)
    }
    return false
  }

  async #crashes(): Promise<ReadonlyMap<number, string>> {
    const list = await this.#target.client
      .get<CrashList>('/v1/crashes', { app: this.#target.app.name })
      .catch((error: unknown) => {
        if (error instanceof SuperviseError) return null
        throw error
      })
    return new Map(list?.crashes.map(({ pid, id }) => [pid, id]) ?? [])
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`
}
