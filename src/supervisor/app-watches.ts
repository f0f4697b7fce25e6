// Keeps a file watch open for each app that wants one, as its configuration says now.

import type { App } from './app.ts'
import type { Clock } from './clock.ts'
import { SourceWatch } from './source-watch.ts'

interface Followed {
  /** The configuration that the watch was opened for, to see when it is another. */
  readonly key: string
  readonly watch: SourceWatch
}

/** What another supervisor, which watched before, has seen and what it may not have seen. */
export interface WatchedBefore {
  readonly changedSince: number | null
  changedOf(app: string): string | null
}

const LOOK_AGAIN_MS = 50

export class AppWatches {
  readonly #clock: Clock
  readonly #onChange: (app: App, file: string) => void
  readonly #before: WatchedBefore | null
  readonly #followed = new Map<string, Followed>()
  /** Apps that were here once: of what they have become since, the one before knows nothing. */
  readonly #met = new Set<string>()

  constructor(clock: Clock, onChange: (app: App, file: string) => void, before: WatchedBefore | null = null) {
    this.#clock = clock
    this.#onChange = onChange
    this.#before = before
  }

  /** Opens, renews or closes the app's watch. Cheap when nothing has changed. */
  follow(app: App): void {
    const { watch } = app.config
    const before = this.#met.has(app.name) ? null : this.#before
    this.#met.add(app.name)
    const known = this.#followed.get(app.name)
    const key = watch === null || app.isStopped ? '' : JSON.stringify([watch, app.config.cwd])
    if (key === (known?.key ?? '')) return
    this.forget(app.name)
    if (watch === null || key === '') return
    const opened = new SourceWatch(watch, app.config.cwd, this.#clock, (file) => this.#changed(app, file))
    this.#followed.set(app.name, { key, watch: opened })
    const missed = before?.changedOf(app.name) ?? null
    const looked = opened.open(before?.changedSince ?? null).then(
      () => app.record('watching', 'watching its files', 'option watch', 'debug'),
      (error: unknown) =>
        app.record('watchFailed', `cannot watch its files: ${String(error)}`, 'option watch', 'error'),
    )
    // Together with what is seen by then, so that it is one reload.
    if (missed !== null) void looked.then(() => opened.note(missed))
  }

  /** By app, the file of a change that is waiting for its quiet time. */
  pending(): Readonly<Record<string, string>> {
    const files = [...this.#followed].map(([name, { watch }]) => [name, watch.pending] as const)
    return Object.fromEntries(files.flatMap(([name, file]) => (file === null ? [] : [[name, file]])))
  }

  /** Not before its workers are being taken up: a reload waits for the end of that, once it has begun. */
  #changed(app: App, file: string): void {
    if (!app.isAdopting || app.adoption !== null) return this.#onChange(app, file)
    this.#clock.wakeAt(this.#clock.now() + LOOK_AGAIN_MS, () => this.#changed(app, file))
  }

  forget(name: string): void {
    const known = this.#followed.get(name)
    this.#followed.delete(name)
    // A watcher that fails to close has nothing left to tell.
    known?.watch.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#followed.values()].map(({ watch }) => watch.close()))
    this.#followed.clear()
  }
}
