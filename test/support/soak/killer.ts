// Kills one part of an instance after the other, chosen by a seed: the supervisor, its keeper, a worker, two workers.

import type { Scene } from '../matrix/scene.ts'
import { killWorker, type Victim } from '../matrix/victims.ts'
import { isAlive, sendIfAlive } from '../processes.ts'
import { until } from '../until.ts'

export const TARGETS = ['supervisor', 'keeper', 'worker', 'two workers'] as const
export type KillTarget = (typeof TARGETS)[number]

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class Killer {
  readonly kills: Record<KillTarget, number> = { supervisor: 0, keeper: 0, worker: 0, 'two workers': 0 }
  readonly victims: Victim[] = []
  /** From the end of a supervisor until another answers. */
  readonly absencesMs: number[] = []
  readonly #scene: Scene
  readonly #random: () => number

  constructor(scene: Scene, random: () => number) {
    this.#scene = scene
    this.#random = random
  }

  async next(): Promise<KillTarget> {
    const target = this.#pick(TARGETS)
    this.kills[target] += 1
    if (target === 'supervisor') await this.#supervisor()
    else if (target === 'keeper') await this.#keeper()
    else await this.#workers(target === 'worker' ? 1 : 2)
    return target
  }

  /** One without a keeper nobody brings back; it has another within a second or two. */
  async #supervisor(): Promise<void> {
    const { pid } = await this.#kept()
    sendIfAlive(pid, 'SIGKILL')
    const began = performance.now()
    await until(async () => (await this.#scene.status()).pid !== pid, 30_000, 'another supervisor answers')
    this.absencesMs.push(performance.now() - began)
  }

  async #keeper(): Promise<void> {
    const { keeper } = await this.#kept()
    sendIfAlive(keeper, 'SIGKILL')
  }

  async #kept() {
    const look = async () => {
      const { pid, keptBy } = await this.#scene.status()
      return keptBy.pid !== null && isAlive(keptBy.pid) && { pid, keeper: keptBy.pid }
    }
    return until(look, 30_000, 'a supervisor with a keeper')
  }

  async #workers(count: number): Promise<void> {
    const left = [...this.#scene.home.workers()]
    const chosen = Array.from({ length: count }, () => left.splice(Math.floor(this.#random() * left.length), 1)[0])
    const killed = await Promise.all(chosen.map((pid) => killWorker(pid ?? 0, this.#scene.loadPort)))
    this.victims.push(...killed.filter((victim) => victim !== null))
  }

  #pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[Math.floor(this.#random() * choices.length)] as Choice
  }
}
