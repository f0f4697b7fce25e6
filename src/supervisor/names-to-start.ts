// Whether apps may be started under their names: each must be free, and no two may have the same.

import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import { appExists, appNamedTwice } from '../errors/app.ts'

/** An app that has a name already, as far as that matters here. */
interface Named {
  readonly isStopped: boolean
  /** How it was taken over from an earlier supervisor goes for the same start, typed again. */
  takenOverBy(source: ConfigSource): Promise<unknown> | null
}

/** What is to be started. */
export interface Wish {
  readonly source: ConfigSource
  readonly config: Pick<AppConfig, 'name'>
}

/** Throws for the first that may not. */
export function checkNames(wishes: readonly Wish[], apps: ReadonlyMap<string, Named>): void {
  const names = wishes.map(({ config }) => config.name)
  for (const [index, { source, config }] of wishes.entries()) {
    if (names.indexOf(config.name) < index) throw appNamedTwice(config.name)
    const known = apps.get(config.name)
    if (known !== undefined && !known.isStopped && known.takenOverBy(source) === null) throw appExists(config.name)
  }
}
