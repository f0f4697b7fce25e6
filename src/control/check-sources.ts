// What a start would be refused for, found before a supervisor is started for it. Reads, and touches nothing.

import type { ConfigSource } from '../config/app-config.ts'
import { readConfig } from '../config/read-config.ts'
import { readReleases, releasesFile } from '../state/release-store.ts'
import { checkNames } from '../supervisor/names-to-start.ts'
import { lastGoodOf, type LastGood } from '../supervisor/release-start.ts'
import type { Environment } from './instance-directory.ts'

export interface StartPlan {
  readonly instance: string
  readonly sources: readonly ConfigSource[]
  /** Past releases are forgotten, so that none of them says where the code is. */
  readonly fresh: boolean
}

/** Throws what the supervisor would say of them. */
export async function checkSources({ instance, sources, fresh }: StartPlan, environment: Environment): Promise<void> {
  const books = fresh ? NO_BOOKS : booksOf(releasesFile(instance, environment))
  const read = (source: ConfigSource) => readConfig(source, ({ name }) => lastGoodOf(books, name))
  checkNames(await Promise.all(sources.map(async (source) => ({ source, config: await read(source) }))), new Map())
}

const NO_BOOKS: LastGood = { lastGood: () => null }

function booksOf(file: string): LastGood {
  const read = readReleases(file)
  if (read.kind !== 'state') return NO_BOOKS
  const { apps } = read.state
  return {
    lastGood: (name) => apps[name]?.releases.find(({ id }) => id === apps[name]?.lastGood) ?? null,
  }
}
