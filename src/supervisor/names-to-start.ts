// Whether apps may be started under their names: each must be free, and no two may have the same.

import { appExists, appNamedTwice } from '../errors/app.ts'

/** An app that has a name already, as far as that matters here. */
interface Named {
  readonly isStopped: boolean
  /** How it was taken over from an earlier supervisor goes for its start. */
  readonly takenOver: Promise<unknown> | null
}

/** Throws for the first that may not. */
export function checkNames(names: readonly string[], apps: ReadonlyMap<string, Named>): void {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) throw appNamedTwice(name)
    const known = apps.get(name)
    if (known !== undefined && !known.isStopped && known.takenOver === null) throw appExists(name)
  }
}
