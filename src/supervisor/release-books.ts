// What is remembered of every app's releases, in memory and durably on disk. A disk that cannot be written costs the memory
// across a reboot and nothing else: it is told once, by an event and by each operation that could not be remembered, and tried
// again with each change and after a while.

import type { EventType } from '../config/event-types.ts'
import { existsSync } from 'node:fs'
import { concludeAll, lastGoodAfter } from '../core/release-history.ts'
import type { Rollout } from '../core/rollout.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { AppReleases, ReleaseRecord, SavedReleases } from '../state/release-store.ts'
import { OLDEST_RELEASES, readReleases, RELEASES_SCHEMA, removeDrafts, writeReleases } from '../state/release-store.ts'
import { whyNotWritten } from '../config/why-not-written.ts'
import type { EventLevel } from '../telemetry/events.ts'

export type TellOfBooks = (type: EventType, text: string, level: EventLevel) => void

/** Room on a disk comes back, and a directory is deleted, without a word to us. */
const LOOK_MS = 2000

export class ReleaseBooks {
  readonly #file: string
  readonly #tell: TellOfBooks
  readonly #timer: NodeJS.Timeout
  #apps: Readonly<Record<string, AppReleases>> = {}
  /** There is a file with what is known, or there was one. */
  #isKept = false
  #problem: string | null = null

  /** Reads what an earlier supervisor left, which must be gone; what cannot be used is told and kept beside. */
  constructor(file: string, tell: TellOfBooks) {
    this.#file = file
    this.#tell = tell
    removeDrafts(file)
    const read = readReleases(file)
    if (read.kind === 'unusable')
      tell(
        'releasesUnusable',
        `${file} cannot be used, since ${read.problem}; started without it, and it is kept`,
        'error',
      )
    if (read.kind === 'state') {
      this.#apps = read.state.apps
      this.#isKept = true
    }
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Why what is known now would not survive a reboot; null when it would. */
  get problem(): string | null {
    return this.#problem
  }

  /** Null for an app that never had a second release. */
  of(app: string): AppReleases | null {
    return this.#apps[app] ?? null
  }

  release(app: string, id: string): ReleaseRecord | null {
    return this.of(app)?.releases.find((release) => release.id === id) ?? null
  }

  /** What a start begins with. */
  lastGood(app: string): ReleaseRecord | null {
    const { lastGood = null } = this.of(app) ?? {}
    return lastGood === null ? null : this.release(app, lastGood)
  }

  /** Of one release that is known. */
  note(app: string, id: string, more: Pick<ReleaseRecord, 'smoke' | 'watch' | 'contract' | 'served'>): void {
    const known = this.of(app)
    if (known === null) return
    const releases = known.releases.map((release) => (release.id === id ? { ...release, ...more } : release))
    this.set(app, { ...known, releases })
  }

  /** How far a rollout is, and with it which group is active. */
  keep(app: string, rollout: Rollout, active: GroupName): void {
    const known = this.of(app)
    if (known === null) return
    const { outcome, why, served, release: id } = rollout
    const ending = outcome === null ? {} : { outcome, why, endedAt: new Date().toISOString() }
    const releases = known.releases.map((release) =>
      release.id === id ? { ...release, ...ending, served: served || release.served === true } : release,
    )
    this.set(app, { ...known, active, releases, lastGood: lastGoodAfter(rollout, known.lastGood), rollout })
  }

  /** No rollout is open, and this release serves: each has an outcome. */
  conclude(app: string, serving: string, active: GroupName): void {
    const known = this.of(app)
    if (known === null || known.releases.every(({ outcome }) => outcome !== null)) return
    const isNew = known.releases.some(({ id, outcome }) => id === serving && outcome === null)
    const releases = concludeAll(known.releases, serving, new Date().toISOString())
    this.set(app, { ...known, active, releases, lastGood: isNew ? serving : known.lastGood })
  }

  /** Written before it returns, if it can be written. */
  set(app: string, releases: AppReleases): void {
    this.#apps = { ...this.#apps, [app]: releases }
    this.#write()
  }

  forget(app: string): void {
    if (this.of(app) === null) return
    const { [app]: _gone, ...others } = this.#apps
    this.#apps = others
    this.#write()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    if (this.#problem !== null) return this.#write()
    if (!this.#isKept || existsSync(this.#file)) return
    this.#write()
    if (this.#problem === null) this.#tell('releasesDeleted', `${this.#file} was deleted, and is there again`, 'warn')
  }

  #write(): void {
    const state: SavedReleases = { schema: RELEASES_SCHEMA, oldest: OLDEST_RELEASES, apps: this.#apps }
    const before = this.#problem
    try {
      writeReleases(this.#file, state)
      this.#isKept = true
      this.#problem = null
    } catch (error) {
      this.#problem = `${this.#file} cannot be written, since ${whyNotWritten(error)}`
    }
    if (this.#problem !== null && before === null)
      this.#tell('releasesNotWritten', `${this.#problem}; a reboot would not know of what is done now`, 'error')
    if (this.#problem === null && before !== null)
      this.#tell('releasesWritten', `${this.#file} could be written again`, 'info')
  }
}
