// The end of the whole instance: unready first, while load balancers still send requests; then every app drains; and all of it
// within the budget, when there is one.

import type { OperationResult, StopRequest } from '../control/messages.ts'
import { delayWithin, endWithin, timesWithin, type StopTiming } from '../core/stop-budget.ts'
import { formatDuration } from '../config/quantities.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { App } from './app.ts'
import { stopBody } from './app-operations.ts'
import type { Clock } from './clock.ts'
import type { OperationContext } from './operations.ts'

export interface StopSource {
  readonly clock: Clock
  readonly eventLog: EventLog
  readonly apps: readonly App[]
  internalError(error: unknown): void
}

export const NO_HURRY: StopTiming = { delayMs: 0, budgetMs: null }

export class StopDesk {
  readonly #source: StopSource
  readonly #timing: StopTiming
  /** By app: what it was last told that it will not have. */
  readonly #told = new Map<string, string>()
  #endDelay: () => void = () => {}
  #delay: Promise<void> | null = null
  #isHurrying = false

  constructor(source: StopSource, timing: StopTiming) {
    this.#source = source
    this.#timing = timing
  }

  /** Says what of an app's configuration does not fit into the budget, as soon as it is known and again when it changes. */
  look({ name, config }: App): void {
    const times = timesWithin(this.#timing, config)
    const { budgetMs } = this.#timing
    if (budgetMs === null || times === config || this.#isToo(name, times.drainTimeoutMs, times.killTimeoutMs)) return
    const text =
      `a stop of everything has ${formatDuration(budgetMs)} (stop budget), so its workers drain for ` +
      `${inSeconds(times.drainTimeoutMs)} at most instead of ${formatDuration(config.drainTimeoutMs)}, and are killed ` +
      `${inSeconds(times.killTimeoutMs)} after the stop signal instead of ${formatDuration(config.killTimeoutMs)}`
    this.#source.eventLog.record({ type: 'stopShortened', app: name, text, cause: 'stop budget' })
  }

  /** A second wish that is for now ends the delay, and the drains, of the first. */
  async end(request: StopRequest, context: OperationContext): Promise<readonly OperationResult[]> {
    const isNow = request.now === true
    const cancel = isNow ? () => {} : this.#hurry()
    if (isNow) this.#endDelay()
    else await this.#unreadyFirst(context)
    try {
      return await this.#stopAll(request, context)
    } finally {
      cancel()
    }
  }

  async #stopAll(request: StopRequest, context: OperationContext): Promise<readonly OperationResult[]> {
    const { apps } = this.#source
    if (request.now !== true) for (const app of apps) this.#shorten(app)
    const stops = apps
      .filter((app) => !app.isStopped)
      .map((app) => app.operations.run('stop', '', context, stopBody(app, request)))
    if (request.now === true) for (const app of apps) for (const worker of app.processes()) worker.handle('stopWanted')
    const settled = await Promise.allSettled(stops)
    for (const one of settled) if (one.status === 'rejected') this.#source.internalError(one.reason)
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }

  async #unreadyFirst({ cause }: OperationContext): Promise<void> {
    const delayMs = delayWithin(this.#timing)
    if (delayMs === 0 || this.#source.apps.every((app) => app.isStopped)) return
    if (this.#delay === null) {
      const text = `unready from now on; serves for ${inSeconds(delayMs)} more, then drains`
      this.#source.eventLog.record({ type: 'stopDelayed', app: null, text, cause })
      const { clock } = this.#source
      this.#delay = new Promise((resolve) => {
        const cancel = clock.wakeAt(clock.now() + delayMs, resolve)
        this.#endDelay = () => {
          cancel()
          resolve()
        }
      })
    }
    await this.#delay
  }

  #shorten(app: App): void {
    if (this.#timing.budgetMs === null) return
    for (const worker of app.processes()) worker.shorten(timesWithin(this.#timing, worker.generation.config))
  }

  /** Whatever did not end in its own time, such as workers that were draining before: a stop signal, then SIGKILL. */
  #hurry(): () => void {
    const endMs = endWithin(this.#timing)
    if (endMs === null || this.#isHurrying) return () => {}
    this.#isHurrying = true
    const { clock, apps } = this.#source
    const end = clock.now() + endMs
    const killMs = Math.max(0, ...apps.map(({ config }) => timesWithin(this.#timing, config).killTimeoutMs))
    const each = (act: (worker: Parameters<App['hangs']>[0]) => void) => () => {
      for (const app of this.#source.apps) for (const worker of app.processes()) act(worker)
    }
    const cancels = [
      clock.wakeAt(
        end - killMs,
        each((worker) => worker.handle('stopWanted')),
      ),
      clock.wakeAt(
        end,
        each((worker) => worker.kill('stop-deadline')),
      ),
    ]
    return () => {
      for (const cancel of cancels) cancel()
      this.#isHurrying = false
    }
  }

  #isToo(name: string, ...times: readonly number[]): boolean {
    const text = times.join(' ')
    const isKnown = this.#told.get(name) === text
    this.#told.set(name, text)
    return isKnown
  }
}

function inSeconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))}s`
}
