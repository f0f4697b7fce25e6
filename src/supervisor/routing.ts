// One app's routing table: which group its requests belong to, and by which private endpoints the workers of the one
// group reach the other. There is none while the app has one group.
//
// Rules
// 1. A change of the active group is one message to every worker, and is over when each that can answer a request has
//    answered or is gone. One whose link is down is told when it is up again.
// 2. A worker that comes later is told before it may serve.
// 3. Whatever was told last has the highest epoch: a supervisor that starts again goes on from there.

import type { GroupName, ListenerKey } from '../protocol/messages.ts'
import type { RouteTable } from '../protocol/routes.ts'
import type { Clock } from './clock.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** A worker that has not answered a change of the active group by then would answer requests for the wrong one. */
export const FLIP_DEADLINE_MS = 1000

/** What the workers of an adopted app were told last. */
export interface Committed {
  readonly epoch: number
  readonly active: GroupName
}

export interface CommitResult {
  /** From the first message to the last answer. */
  readonly tookMs: number
  /** Those that had not answered by the deadline. */
  readonly silent: readonly WorkerHandle[]
  /** Another change came first: this one was never in force everywhere. */
  readonly isOvertaken: boolean
}

export interface RoutingOwner {
  readonly clock: Clock
  /** Every process of the app. */
  processes(): Iterable<WorkerHandle>
  /** Enables the header rule; null is off. */
  readonly groupSecret: string | null
}

interface Wait {
  readonly epoch: number
  readonly left: Set<WorkerHandle>
  finish(isOvertaken?: boolean): void
}

export class Routing {
  /** The latest that workers of an earlier supervisor were told; null when they said nothing of it. */
  adopted: Committed | null = null
  #epoch = 0
  #table: RouteTable | null = null
  #wait: Wait | null = null
  readonly #owner: RoutingOwner

  constructor(owner: RoutingOwner) {
    this.#owner = owner
  }

  get isInForce(): boolean {
    return this.#table !== null
  }

  /** Gives every request to `active` from the last answer on; workers that are silent are the caller's to end. */
  commit(active: GroupName): Promise<CommitResult> {
    const begun = this.#owner.clock.now()
    this.#table = this.#make(active)
    this.#wait?.finish(true)
    const workers = [...this.#owner.processes()]
    const left = new Set(workers.filter(mayAnswer))
    return new Promise((resolve) => {
      const finish = (isOvertaken = false): void => {
        cancel()
        if (this.#wait === wait) this.#wait = null
        // Who was asked again meanwhile still has time to answer.
        resolve({ tookMs: this.#owner.clock.now() - begun, silent: isOvertaken ? [] : [...left], isOvertaken })
      }
      const wait: Wait = { epoch: this.#epoch, left, finish }
      const cancel = this.#owner.clock.wakeAt(begun + FLIP_DEADLINE_MS, () => finish())
      this.#wait = wait
      for (const worker of workers) this.tell(worker)
      if (left.size === 0) finish()
    })
  }

  /** Workers came or went: the others learn of their endpoints, and nobody waits for it. */
  refresh(): void {
    const before = this.#table
    if (before === null || this.#wait !== null) return
    const peers = this.#peers()
    if (JSON.stringify(peers) === JSON.stringify(before.peers)) return
    this.#table = { ...before, epoch: (this.#epoch += 1), peers }
    for (const worker of this.#owner.processes()) this.tell(worker)
  }

  /** One group is left: nothing is to be decided any more. */
  end(): void {
    if (this.#table === null) return
    this.#table = null
    this.#epoch += 1
    for (const worker of this.#owner.processes()) this.tell(worker)
  }

  /** What it must know before it serves, or again. */
  tell(worker: WorkerHandle): void {
    worker.send({ type: 'route', table: this.#table })
  }

  answered(worker: WorkerHandle, epoch: number): void {
    const wait = this.#wait
    if (wait === null || epoch < wait.epoch) return
    this.#settle(wait, worker)
  }

  gone(worker: WorkerHandle): void {
    if (this.#wait !== null) this.#settle(this.#wait, worker)
    this.refresh()
  }

  /** A worker of an earlier supervisor says what it was told last. */
  adopt(told: Committed): void {
    if (told.epoch > (this.adopted?.epoch ?? 0)) this.adopted = told
    this.#epoch = Math.max(this.#epoch, told.epoch)
  }

  #settle(wait: Wait, worker: WorkerHandle): void {
    if (wait.left.delete(worker) && wait.left.size === 0) wait.finish()
  }

  #make(active: GroupName): RouteTable {
    this.#epoch += 1
    return { epoch: this.#epoch, active, peers: this.#peers(), groupSecret: this.#owner.groupSecret }
  }

  #peers(): RouteTable['peers'] {
    const peers: Record<ListenerKey, { blue: string[]; green: string[] }> = {}
    for (const worker of this.#owner.processes()) {
      if (!worker.isUp) continue
      for (const [key, endpoint] of worker.endpoints) {
        peers[key] ??= { blue: [], green: [] }
        peers[key][worker.generation.group].push(endpoint)
      }
    }
    return peers
  }
}

/** One that boots is told before it may serve, and one that is being stopped has finished what it had. */
function mayAnswer({ isUp, state }: WorkerHandle): boolean {
  return isUp || state === 'draining'
}
