// The figures of an instance: keeps what is counted across its death, and puts together what a scrape gets.

import { readdirSync } from 'node:fs'
import { nearest } from '../config/suggest.ts'
import { unknownApp } from '../errors/app.ts'
import { measuresFile, readMeasures, writeMeasures } from '../state/measures-file.ts'
import { whyNotWritten } from '../config/why-not-written.ts'
import type { LogDesk } from '../telemetry/log-desk.ts'
import { containerLimits, throttledSeconds } from '../telemetry/container-limits.ts'
import { countZombies } from '../telemetry/surroundings.ts'
import { Families, familiesOf } from '../telemetry/families.ts'
import { CONTENT_TYPE, expose, withAllLabels, type Family } from '../telemetry/exposition.ts'
import { Measures, type Process } from '../telemetry/measures.ts'
import type { Present } from '../telemetry/slo-book.ts'
import type { Sample, Samples } from '../telemetry/samples.ts'
import type { RolloutStatus } from '../control/messages.ts'
import type { App } from './app.ts'
import { addApp, addObjectives, objectivesOf } from './app-metrics.ts'
import { systemClock } from './clock.ts'
import { healthOf } from './health.ts'
import { judgeBudget } from '../core/budget-watch.ts'
import { MergeDesk } from './merge-desk.ts'
import type { Health, MetricOperations } from './operations.ts'
import type { ProbeDesk } from './probe-desk.ts'

export interface MetricsSource {
  /** Until the apps of the first start are known. */
  readonly isBeginning: boolean
  readonly isEnding: boolean
  readonly apps: readonly App[]
  readonly samples: Samples
  readonly version: string
  readonly probes: Pick<ProbeDesk, 'addTo'>
  rolloutOf(app: App): RolloutStatus | null
}

/** Counts since the last save are lost with a supervisor that is killed, but for those that workers tell again. */
const SAVE_EVERY_MS = 10_000
/** A change is saved at once, but not each of many. */
const SAVE_SOON_MS = 200

export class MetricsDesk implements MetricOperations {
  readonly measures: Measures
  /** What apps count by themselves. */
  readonly merge: MergeDesk
  readonly #directory: string
  readonly #logs: LogDesk
  readonly #complain: (problem: string) => void
  readonly #timer: NodeJS.Timeout
  #soon: NodeJS.Timeout | undefined
  #next: NodeJS.Immediate | undefined
  #hasFailed = false
  #isResting = false
  #source: MetricsSource | null = null
  #lastUtilization = performance.eventLoopUtilization()
  /** The rate that was told of, by app and objective. */
  readonly #burning = new Map<string, number>()

  constructor(stateDirectory: string, logs: LogDesk, complain: (problem: string) => void) {
    this.#directory = stateDirectory
    this.#logs = logs
    this.#complain = complain
    this.measures = this.#restored()
    this.merge = new MergeDesk(this.measures, () => this.#source?.apps ?? [])
    this.#timer = setInterval(() => {
      if (this.#isResting) return
      this.#save()
      void this.merge.collect()
      for (const app of this.#source?.apps ?? []) this.#lookAtObjectives(app)
    }, SAVE_EVERY_MS).unref()
  }

  /** Before it there is nothing to see. */
  follow(source: MetricsSource): void {
    this.#source = source
  }

  /** A reading of all workers. */
  sampled(samples: ReadonlyMap<number, Sample>): void {
    for (const app of this.#source?.apps ?? []) {
      for (const { pid, id, incarnation, generation } of app.processes()) {
        const sample = samples.get(pid)
        if (sample === undefined) continue
        const { release, group } = generation
        const process: Process = { app: app.name, group, release: release.id, worker: id, incarnation }
        this.measures.cpuTaken(process, sample.cpuSeconds)
      }
    }
  }

  /** An app that is deleted leaves nothing. */
  forget(app: string): void {
    this.measures.forgetApp(app)
    for (const key of this.#burning.keys()) if (key.startsWith(`${app} `)) this.#burning.delete(key)
    this.#saveSoon()
  }

  async families(app: string | null): Promise<readonly Family[]> {
    return withAllLabels(await this.#wanted(app))
  }

  async expose(app: string | null): Promise<{ readonly text: string; readonly contentType: string }> {
    return { text: await expose(await this.#wanted(app)), contentType: CONTENT_TYPE }
  }

  async #wanted(app: string | null): Promise<readonly Family[]> {
    const names = (this.#source?.apps ?? []).map(({ name }) => name)
    if (app !== null && !names.includes(app)) throw unknownApp(app, names, nearest(app, names))
    await this.merge.collect()
    const all = [...this.#families(), ...this.merge.families()]
    return app === null ? all : familiesOf(app, all)
  }

  #families(): readonly Family[] {
    const families = new Families()
    this.#noteLines()
    for (const app of this.#source?.apps ?? []) this.#addApp(families, app)
    this.#addOwn(families)
    this.merge.addTo(families)
    families.addMeasures(this.measures)
    return families.all()
  }

  health(): Health {
    const { apps, isBeginning, isEnding } = this.#source ?? { apps: [], isBeginning: true, isEnding: false }
    return healthOf(apps, { isBeginning, isEnding })
  }

  controlRequest(method: string, status: number): void {
    this.measures.controlRequest(method, status)
  }

  /** Saves, and then no more until `goOn`: another supervisor counts on. */
  standStill(): void {
    this.#save()
    this.#isResting = true
  }

  goOn(): void {
    this.#isResting = false
    this.#save()
  }

  close(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    clearImmediate(this.#next)
    this.#save()
  }

  /** What makes no sense must not stop the start: counting begins anew. */
  #restored(): Measures {
    const begin = () =>
      new Measures(
        () => this.#saveSoon(),
        () => this.#saveNext(),
      )
    const measures = begin()
    try {
      const saved = readMeasures(this.#directory)
      if (saved !== null) measures.restore(saved, present())
      return measures
    } catch {
      this.#complain(
        `cannot go on with what was counted: ${measuresFile(this.#directory)} is damaged; counts begin anew`,
      )
      return begin()
    }
  }

  #addApp(families: Families, app: App): void {
    const source = this.#source
    if (source === null) return
    addApp(families, app, source.samples)
    addObjectives(families, app, this.measures)
    source.probes.addTo(families, app)
    const rollout = source.rolloutOf(app)
    if (rollout === null) return
    families.add('supervise_rollout_step', { app: app.name, release: rollout.release, step: rollout.step }, 1)
  }

  /** Told once when an error budget begins to burn, and once when it does no more. */
  #lookAtObjectives(app: App): void {
    for (const { objective, target, burning } of objectivesOf(app, this.measures)) {
      const key = `${app.name} ${objective}`
      const { rate, tell } = judgeBudget(this.#burning.get(key) ?? null, burning?.rate ?? null)
      if (rate === null) this.#burning.delete(key)
      else this.#burning.set(key, rate)
      if (tell === 'holds')
        app.record('budgetHolds', `the error budget of ${objective} (${target} %) burns no more`, 'policy slo')
      if (tell !== 'burns' || burning === null) continue
      const text = `the error budget of ${objective} (${target} %) burns ${burning.rate} times too fast or faster, in the last ${burning.long} and the last ${burning.short}`
      app.record('budgetBurns', text, 'policy slo', burning.severity === 'page' ? 'error' : 'warn')
    }
  }

  #addOwn(families: Families): void {
    const { user, system } = process.cpuUsage()
    families.add('supervise_process_cpu_seconds_total', {}, (user + system) / 1e6)
    families.add('supervise_process_resident_memory_bytes', {}, process.memoryUsage.rss())
    families.add('supervise_process_heap_used_bytes', {}, process.memoryUsage().heapUsed)
    families.add('supervise_process_open_fds', {}, openDescriptors())
    families.add('supervise_process_start_time_seconds', {}, Math.round(performance.timeOrigin) / 1000)
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#lastUtilization)
    this.#lastUtilization = now
    families.add('supervise_process_event_loop_utilization_ratio', {}, utilization)
    const limits = containerLimits()
    families.add('supervise_memory_limit_bytes', {}, limits.memoryBytes)
    families.add('supervise_memory_limit_used_bytes', {}, limits.memoryUsedBytes)
    families.add('supervise_cpu_limit_cores', {}, limits.cpuCores)
    families.add('supervise_cpu_throttled_seconds_total', {}, throttledSeconds())
    families.add('supervise_zombies', {}, countZombies())
    const labels = { version: this.#source?.version ?? '', node_version: process.version }
    families.add('supervise_build_info', labels, 1)
  }

  /** Lines are counted since this supervisor's start, and are to count across it. */
  #noteLines(): void {
    const { apps, droppedLines } = this.#logs.counts()
    for (const [app, streams] of apps)
      for (const [stream, counts] of Object.entries(streams)) this.measures.linesWritten(app, stream, counts)
    this.measures.linesDropped(droppedLines)
  }

  /** Once for all that end together. */
  #saveNext(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined
      this.#save()
    })
  }

  #saveSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#save()
    }, SAVE_SOON_MS).unref()
  }

  #save(): void {
    if (this.#isResting) return
    try {
      this.#noteLines()
      writeMeasures(this.#directory, this.measures.save(present()))
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed)
        this.#complain(`cannot keep what was counted in ${this.#directory}: ${whyNotWritten(error)}`)
      this.#hasFailed = true
    }
  }
}

/** The wall clock as it was when the process began, so that what jumps since moves nothing. */
function present(): Present {
  const nowMs = systemClock.now()
  return { nowMs, wallMs: performance.timeOrigin + nowMs }
}

/** Null where the system does not say. */
function openDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null
  }
}
