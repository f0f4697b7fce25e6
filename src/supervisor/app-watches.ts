// Keeps a file watch open for each app that wants one, as its configuration says now.

import type { App } from './app.ts'
import type { Clock } from './clock.ts'
import { SourceWatch } from './source-watch.ts'

interface Followed {
  /** The configuration that the watch was opened for, to see when it is another. */
  readonly key: string
  readonly watch: SourceWatch
}

export class AppWatches {
  readonly #clock: Clock
  readonly #onChange: (app: App, file: string) => void
  readonly #followed = new Map<string, Followed>()

  constructor(clock: Clock, onChange: (app: App, file: string) => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Opens, renews or closes the app's watch. Cheap when nothing has changed. */
  follow(app: App): void {
    const { watch } = app.config
    const known = this.#followed.get(app.name)
    const key = watch === null || app.isStopped ? '' : JSON.stringify([watch, app.config.cwd])
    if (key === (known?.key ?? '')) return
    this.forget(app.name)
    if (watch === null || key === '') return
    const opened = new SourceWatch(watch, app.config.cwd, this.#clock, (file) => this.#onChange(app, file))
    this.#followed.set(app.name, { key, watch: opened })
    opened.open().then(
      () => app.record('watching', 'watching its files', 'option watch', 'debug'),
      (error: unknown) =>
        app.record('watchFailed', `cannot watch its files: ${String(error)}`, 'option watch', 'error'),
    )
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
