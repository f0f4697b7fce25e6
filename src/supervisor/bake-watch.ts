// What is seen of a release since it has the public traffic, and of the one before it: gathers the facts, core/bake.ts judges
// them. It begins before the flip, so that no request is missed and the old release's hour is over.

import { judgeBake, type BakeRecord } from '../core/bake.ts'
import type { Rollout } from '../core/rollout.ts'
import { NO_TRAFFIC, plus, since, type Traffic } from '../core/verdict.ts'
import type { App } from './app.ts'
import type { Group } from './group.ts'
import { failsProbe } from './health-watch.ts'
import { bakePolicy } from './rollout-policy.ts'
import type { WorkerHandle } from './worker-handle.ts'

export class BakeWatch {
  readonly #app: App
  readonly #release: string
  readonly #from: string
  /** Of the new group, before it had the traffic. */
  readonly #before: Traffic
  readonly #old: Traffic
  /** What an earlier supervisor saw of it, and for how long. */
  readonly #seenBefore: Traffic
  readonly #watchedBeforeMs: number
  #since: number
  #crashes: string[] = []
  #oldCrashes = 0

  /** `earlier` is what another supervisor had written down, which died in the middle of it. */
  constructor(app: App, { release, from }: Rollout, earlier: BakeRecord | null) {
    const now = app.clock.now()
    this.#app = app
    this.#release = release
    this.#from = from
    this.#since = now
    this.#before = this.#groupOf(release)?.traffic.total ?? NO_TRAFFIC
    this.#old = earlier?.figures.old ?? this.#groupOf(from)?.traffic.lastHour(now) ?? NO_TRAFFIC
    const { requests = 0, serverErrors = 0, crashes = 0, elapsedMs = 0 } = earlier?.figures ?? {}
    this.#seenBefore = { requests, serverErrors, crashes }
    this.#watchedBeforeMs = elapsedMs
  }

  /** The traffic is there. */
  begin(now: number): void {
    this.#since = now
  }

  crashed({ generation }: Pick<WorkerHandle, 'generation'>, words: string): void {
    const release = generation.release.id
    // What a reload tries meanwhile is the reload's to judge.
    if (this.#groupOf(release)?.generation !== generation) return
    if (release === this.#release) this.#crashes.push(words)
    else this.#oldCrashes += 1
  }

  judge(now: number): BakeRecord {
    const [fresh, old] = [this.#groupOf(this.#release), this.#groupOf(this.#from)]
    const answered = since(this.#before, fresh?.traffic.total ?? this.#before)
    const seen = plus(this.#seenBefore, { ...answered, crashes: this.#crashes.length })
    const facts = {
      ...seen,
      flippedAt: this.#since - this.#watchedBeforeMs,
      failingProbes: failingIn(fresh),
      old: { ...this.#old, crashes: this.#old.crashes + this.#oldCrashes },
      oldFailingProbes: failingIn(old),
    }
    const policy = bakePolicy((fresh ?? this.#app.activeGroup).generation.config)
    const judged = judgeBake(facts, policy, now)
    const [crash] = this.#crashes
    const why = judged.verdict === 'fail' && crash !== undefined ? `${judged.why}: ${crash}` : judged.why
    return { ...judged, why, policy, at: new Date().toISOString() }
  }

  #groupOf(release: string): Group | undefined {
    return this.#app.bothGroups().find(({ generation }) => generation.release.id === release)
  }
}

function failingIn(group: Group | undefined): number {
  return [...(group?.processes() ?? [])].filter(failsProbe).length
}
