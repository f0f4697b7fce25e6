// Deploys that have no rollout yet: they wait for their turn, ask whoever has a say, or make room. Until then they are what
// an abort is about, whatever an earlier deploy is at.

export interface PendingDeploy {
  /** Equal wishes are one, as their operations are. */
  readonly key: string
  /** Id of the release, once it is known. */
  release: string | null
  readonly aborter: AbortController
}

export class PendingDeploys {
  readonly #of = new Map<string, Set<PendingDeploy>>()

  ask(app: string, key: string): PendingDeploy {
    const known = [...this.#all(app)].find((one) => one.key === key)
    return known ?? { key, release: null, aborter: new AbortController() }
  }

  enter(app: string, pending: PendingDeploy): void {
    this.#of.set(app, this.#all(app).add(pending))
  }

  /** It has a rollout of its own, or is over. */
  leave(app: string, pending: PendingDeploy): void {
    this.#all(app).delete(pending)
  }

  /** Gives all of them up; answers with them. */
  abort(app: string): readonly PendingDeploy[] {
    const all = [...this.#all(app)]
    this.#of.delete(app)
    for (const { aborter } of all) aborter.abort()
    return all
  }

  #all(app: string): Set<PendingDeploy> {
    return this.#of.get(app) ?? new Set()
  }
}
