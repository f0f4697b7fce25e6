// The probe of a rehearsal: asks an app's public address all the time, as clients without a connection of their own do, and
// keeps what came of each request. It runs in the process of whoever rehearses, so that a supervisor's end does not matter.

import { setTimeout as pause } from 'node:timers/promises'
import { askPlace, type ProbeOutcome } from '../supervisor/probe-question.ts'
import type { ProbePlace } from './chaos-messages.ts'

export interface ProbeOptions {
  readonly path: string
  /** How many ask at a time. */
  readonly connections: number
  readonly withinMs: number
}

export interface Asked {
  /** When it was asked, and when it was answered or given up, by this process's monotonic clock. */
  readonly at: number
  readonly until: number
  readonly outcome: ProbeOutcome
}

/** Each of the connections asks so often at most: users, not a benchmark. */
const EVERY_MS = 25

export class RehearsalProbe {
  readonly asked: Asked[] = []
  readonly #options: ProbeOptions
  #places: readonly ProbePlace[] = []
  #headers: Readonly<Record<string, string>> = {}
  #isOver = false
  #lanes: readonly Promise<void>[] = []

  constructor(options: ProbeOptions) {
    this.#options = options
  }

  /** There is somewhere to ask. */
  get isAsking(): boolean {
    return this.#places.length > 0
  }

  /** Where it asks from now on; what was known is kept when nothing is known now. */
  pointAt(places: readonly ProbePlace[], headers: Readonly<Record<string, string>>): void {
    this.#headers = headers
    if (places.length > 0) this.#places = places
    if (this.#lanes.length > 0 || !this.isAsking) return
    this.#lanes = Array.from({ length: this.#options.connections }, (_, lane) => this.#ask(lane))
  }

  /** Share of the requests of the last so many milliseconds that failed; null when they are too few to say. */
  failureShare(lastMs: number, atLeast: number): number | null {
    const since = performance.now() - lastMs
    const recent = this.asked.slice(this.asked.findLastIndex(({ until }) => until < since) + 1)
    return recent.length < atLeast ? null : recent.filter(({ outcome }) => outcome !== 'ok').length / recent.length
  }

  /** Resolves when the last request has its answer. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#lanes)
  }

  async #ask(lane: number): Promise<void> {
    const { path, withinMs, connections } = this.#options
    await pause((EVERY_MS / connections) * lane)
    for (let turn = lane; !this.#isOver; turn += 1) {
      const place = this.#places[turn % this.#places.length]
      if (place === undefined) return
      const at = performance.now()
      const question = { place, path, headers: this.#headers, withinMs, status: 'answered' as const, body: null }
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as one client does
      const { outcome } = await askPlace(question)
      const until = performance.now()
      this.asked.push({ at, until, outcome })
      // oxlint-disable-next-line no-await-in-loop
      await pause(Math.max(0, EVERY_MS - (until - at)))
    }
  }
}
