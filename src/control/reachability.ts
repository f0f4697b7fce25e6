// That the supervisor can be reached: by people on its control socket, by workers on its link. Whoever deletes the runtime
// directory under it takes both away, and the next worker that boots would wait for its sockets in vain.

import { existsSync } from 'node:fs'
import { completeDirectory, type InstanceDirectory } from './instance-directory.ts'
import { readHolder, writeHolder } from './lock-holder.ts'

const LOOK_MS = 1000

export interface Reachable {
  close(): unknown
  /** Takes nothing new, and lets who is in it stay until it is closed. */
  giveWay?(): void
}

/** One of the sockets, and how to open it again. */
export interface Entrance<Open extends Reachable> {
  readonly path: string
  readonly open: () => Open | Promise<Open>
}

/** Keeps an entrance open: looks for its socket once a second. */
export class KeptEntrance<Open extends Reachable> {
  readonly #directory: InstanceDirectory
  readonly #entrance: Entrance<Open>
  readonly #found: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #current: Open
  /** Whoever is in these stays. */
  readonly #former: Open[] = []
  #opening: Promise<void> | null = null
  #hasFailed = false

  /** `found` is told once when it was missing: with null when it is there again, else with why it cannot be. */
  constructor(directory: InstanceDirectory, entrance: Entrance<Open>, first: Open, found: (error: unknown) => void) {
    this.#directory = directory
    this.#entrance = entrance
    this.#current = first
    this.#found = found
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
  }

  async #look(): Promise<void> {
    if (this.#opening !== null || existsSync(this.#entrance.path)) return
    this.#opening = this.#openAgain()
    try {
      await this.#opening
      this.#hasFailed = false
      this.#found(null)
    } catch (error) {
      if (!this.#hasFailed) this.#found(error)
      this.#hasFailed = true
    } finally {
      this.#opening = null
    }
  }

  /** Opens it anew, whatever is there: another process may have had it for a while. Who is in the one before stays. */
  async renew(): Promise<void> {
    await this.#opening?.catch(() => {})
    const before = this.#current
    this.#current = await this.#entrance.open()
    this.#former.push(before)
    before.giveWay?.()
  }

  async #openAgain(): Promise<void> {
    completeDirectory(this.#directory)
    if (readHolder(this.#directory) === null) writeHolder(this.#directory)
    const before = this.#current
    this.#current = await this.#entrance.open()
    // Nobody can find it any more, and whoever is in it stays until then.
    await before.close()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    // What is being opened just now would stay open, and its socket would be left behind.
    await this.#opening?.catch(() => {})
    await Promise.all([...this.#former, this.#current].map((each) => each.close()))
  }
}
