// What is remembered of every app's releases, in memory and durably on disk. A disk that cannot be written costs the memory
// across a reboot and nothing else: it is told once, and each change tries again.

import type { AppReleases, ReleaseRecord, SavedReleases } from '../state/release-store.ts'
import { readReleases, RELEASES_SCHEMA, writeReleases } from '../state/release-store.ts'

export class ReleaseBooks {
  readonly #file: string
  readonly #complain: (problem: string) => void
  #apps: Readonly<Record<string, AppReleases>> = {}
  #hasFailed = false

  /** Reads what an earlier supervisor left; what cannot be used is told and kept beside. */
  constructor(file: string, complain: (problem: string) => void) {
    this.#file = file
    this.#complain = complain
    const read = readReleases(file)
    if (read.kind === 'unusable') complain(`cannot use ${file}: ${read.problem}; started without it`)
    if (read.kind === 'state') this.#apps = read.state.apps
  }

  /** Null for an app that never had a second release. */
  of(app: string): AppReleases | null {
    return this.#apps[app] ?? null
  }

  release(app: string, id: string): ReleaseRecord | null {
    return this.of(app)?.releases.find((release) => release.id === id) ?? null
  }

  /** Of one release that is known. */
  note(app: string, id: string, more: Pick<ReleaseRecord, 'smoke' | 'watch' | 'contract'>): void {
    const known = this.of(app)
    if (known === null) return
    const releases = known.releases.map((release) => (release.id === id ? { ...release, ...more } : release))
    this.set(app, { ...known, releases })
  }

  /** Written before it returns, if it can be written. */
  set(app: string, releases: AppReleases): void {
    this.#write({ ...this.#apps, [app]: releases })
  }

  forget(app: string): void {
    if (this.of(app) === null) return
    const { [app]: _gone, ...others } = this.#apps
    this.#write(others)
  }

  #write(apps: SavedReleases['apps']): void {
    this.#apps = apps
    try {
      writeReleases(this.#file, { schema: RELEASES_SCHEMA, apps })
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed) this.#complain(`cannot write ${this.#file}: ${String(error)}`)
      this.#hasFailed = true
    }
  }
}
