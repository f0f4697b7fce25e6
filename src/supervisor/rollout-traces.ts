// The spans of an app's rollouts: one for each step as it ends, below one for the whole. They are sent by a short-lived
// process with the app's own OpenTelemetry: no line of the app's is loaded here.

import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Rollout } from '../core/rollout.ts'
import type { FinishedSpan, SpanOrder } from '../protocol/tracing.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import type { Clock } from './clock.ts'
import type { TraceReports } from './trace-reports.ts'
import { attributesText } from './worker-environment.ts'
import type { Generation } from './worker-spec.ts'

/** A bundle beside the agent's own (scripts/bundle.ts). */
const SENDER = fileURLToPath(new URL('../agent/export-spans.js', import.meta.url))
const LONGEST_SEND_MS = 10_000
/** Several steps in a row go together. */
const WAIT_MS = 1000
const MOST_SPANS = 200

/** A step of a rollout that is over. */
export interface EndedStep {
  readonly now: Rollout
  readonly before: Rollout
  /** Of the release that is moved to. */
  readonly record: ReleaseRecord
  readonly generation: Generation
}

/** Resolves with why not, or null. */
export type SendSpans = (order: SpanOrder, generation: Generation, app: string) => Promise<string | null>

export class RolloutTraces {
  readonly #app: string
  readonly #clock: Clock
  readonly #reports: TraceReports
  readonly #sendSpans: SendSpans
  #spans: FinishedSpan[] = []
  #last: { readonly record: ReleaseRecord; readonly endedAt: string } | null = null
  #cancelWake: (() => void) | null = null
  /** One after the other. */
  #sent: Promise<void> = Promise.resolve()

  constructor(app: string, clock: Clock, reports: TraceReports, send: SendSpans = sendSpans) {
    this.#app = app
    this.#sendSpans = send
    this.#clock = clock
    this.#reports = reports
  }

  moved(step: EndedStep): void {
    const { now, before, record, generation } = step
    const endedAt = new Date().toISOString()
    const startedAt = this.#startOf(before, record, endedAt)
    this.#last = { record, endedAt }
    if (!generation.config.tracing) return
    const common = { app: this.#app, record, endedAt }
    this.#spans.push(stepSpan({ ...common, startedAt }, before, now))
    if (now.state === 'done') this.#spans.push(wholeSpan({ ...common, startedAt: record.createdAt }, now))
    this.#spans = this.#spans.slice(-MOST_SPANS)
    this.#sendSoon(generation, now.state === 'done' ? 0 : WAIT_MS)
  }

  /** When the step before ended; of one that an earlier supervisor has begun, nothing better is known than its end. */
  #startOf(before: Rollout, record: ReleaseRecord, endedAt: string): string {
    if (this.#last?.record.id === record.id) return this.#last.endedAt
    return before.state === 'starting' ? record.createdAt : endedAt
  }

  #sendSoon(generation: Generation, waitMs: number): void {
    this.#cancelWake?.()
    this.#cancelWake = this.#clock.wakeAt(this.#clock.now() + waitMs, () => {
      const spans = this.#spans.splice(0)
      this.#sent = this.#sent.then(() => this.#send(generation, spans))
    })
  }

  async #send(generation: Generation, spans: readonly FinishedSpan[]): Promise<void> {
    const { config } = generation
    if (!config.tracing || spans.length === 0) return
    const order: SpanOrder = { script: config.script, otlp: config.tracing.otlp, spans }
    this.#reports.rolloutSent(await this.#sendSpans(order, generation, this.#app))
  }
}

interface Common {
  readonly app: string
  readonly record: ReleaseRecord
  readonly startedAt: string
  readonly endedAt: string
}

function stepSpan(common: Common, before: Rollout, now: Rollout): FinishedSpan {
  const { traceId, rootId } = idsOf(common)
  const hasFailed = before.outcome !== now.outcome && isBad(now)
  return {
    traceId,
    spanId: hex(`${rootId} ${before.state} ${common.endedAt}`, 16),
    parentId: rootId,
    name: `rollout ${before.state}`,
    startedAt: common.startedAt,
    endedAt: common.endedAt,
    attributes: { ...attributesOf(now), 'supervise.rollout.step': before.state },
    error: hasFailed ? (now.why ?? now.outcome) : null,
  }
}

function wholeSpan(common: Common, rollout: Rollout): FinishedSpan {
  const { traceId, rootId } = idsOf(common)
  return {
    traceId,
    spanId: rootId,
    parentId: null,
    name: 'rollout',
    startedAt: common.startedAt,
    endedAt: common.endedAt,
    attributes: {
      ...attributesOf(rollout),
      ...(rollout.outcome !== null && { 'supervise.rollout.outcome': rollout.outcome }),
      ...(rollout.why !== null && { 'supervise.rollout.why': rollout.why }),
    },
    error: isBad(rollout) ? (rollout.why ?? rollout.outcome) : null,
  }
}

function attributesOf({ release, from }: Rollout): Readonly<Record<string, string>> {
  return { 'supervise.rollout.release': release, 'supervise.rollout.from': from }
}

function isBad({ outcome }: Rollout): boolean {
  return outcome === 'failed' || outcome === 'rolledBack'
}

/** The same after a restart of the supervisor, so that a rollout stays one trace. */
function idsOf({ app, record }: Common): { readonly traceId: string; readonly rootId: string } {
  const name = `${app} ${record.id} ${record.createdAt} ${record.path}`
  return { traceId: hex(`trace ${name}`, 32), rootId: hex(`root ${name}`, 16) }
}

function hex(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** Resolves with why not, or null. Never rejects. */
function sendSpans(order: SpanOrder, { config, release, group }: Generation, app: string): Promise<string | null> {
  const attributes = {
    'service.name': app,
    'service.version': release.version,
    'supervise.app': app,
    'supervise.group': group,
    'supervise.release': release.id,
  }
  const env = { ...config.env, OTEL_RESOURCE_ATTRIBUTES: attributesText(config.env, attributes) }
  return new Promise((resolve) => {
    // A group of its own: Ctrl-C ends the supervisor, and what it was about to tell is told.
    const child = spawn(config.node ?? process.execPath, [SENDER], {
      cwd: config.cwd,
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    let said = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_SEND_MS)
    const settle = (problem: string | null): void => {
      clearTimeout(timer)
      resolve(problem)
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, 1000)))
    child.stdin.on('error', () => undefined).end(JSON.stringify(order))
    child.once('error', ({ message }) => settle(`the process that sends them could not be started (${message})`))
    child.once('close', (code) => settle(code === 0 ? said || null : `the process that sends them ended with ${code}`))
  })
}
