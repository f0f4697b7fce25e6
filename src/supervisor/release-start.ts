// What an app begins with when it had more than one release: the one that was last good, with the configuration of now.

import { existsSync, realpathSync } from 'node:fs'
import type { AppConfig } from '../config/app-config.ts'
import { isFile } from '../config/script.ts'
import { nextReleaseId, prune } from '../core/release-history.ts'
import { endRollout, servingSide } from '../core/rollout.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { AppReleases, ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'
import type { ReleaseBooks } from './release-books.ts'
import { notTheNewest } from './release-outlook.ts'
import { labelOf } from './operation-report.ts'
import { currentRelease } from './current-release.ts'
import { placeOfRelease } from './release-path.ts'
import { makeGeneration, type Generation } from './worker-spec.ts'

export interface FirstGeneration {
  readonly generation: Generation
  /** Said where it is not what was typed, or not what served before. */
  readonly words: string | null
}

/**
 * The release that was last good, whatever the command line says, since that is what was serving when the app ended. A
 * release of its own when that is gone: what is started then is neither that one nor any other in the history.
 */
export function firstGeneration(books: ReleaseBooks, config: AppConfig): FirstGeneration {
  const known = books.of(config.name)
  const last = books.lastGood(config.name)
  if (known === null || last === null) return { generation: makeGeneration(1, 'blue', 'r1', config), words: null }
  if (!isThere(last)) {
    const { id } = nextReleaseId(known.nextRelease)
    const words = `${labelOf(last)}, the release that was last good, is no longer at ${last.path}; starts ${config.script} as ${id}`
    return { generation: makeGeneration(1, 'blue', id, config), words }
  }
  // Everything is as the configuration says now, but where the code is and what it was deployed with.
  const { script, cwd } = placeOfRelease(last.config, config)
  const { id, version, own } = last
  const named = { isPinned: true, version, own }
  const generation = makeGeneration(1, groupOfLastGood(known), id, { ...config, script, cwd }, named)
  return { generation, words: realPathOrNull(config.script) === script ? null : wordsOf(last, config) }
}

/** As much of the books as it takes to find what an app begins with. */
export type LastGood = Pick<ReleaseBooks, 'lastGood'>

/** Where the release is that an app begins with; null when there never was a second one, or it is gone. */
export function lastGoodOf(books: LastGood, name: string): AppConfig | null {
  const last = books.lastGood(name)
  return last === null || !isThere(last) ? null : last.config
}

/**
 * What an app goes on with of which nothing lives any more: as after a reboot the release that was last good, as it was.
 * `running` is what it was running, and `number` is free.
 */
export function generationAfterLoss(books: ReleaseBooks, running: Generation, number: number): Generation {
  const known = books.of(running.config.name)
  const last = books.lastGood(running.config.name)
  if (known === null || last === null || last.id === running.release.id || !isThere(last)) return running
  const { id, version, own, config } = last
  return makeGeneration(number, groupOfLastGood(known), id, config, { isPinned: true, version, own })
}

/** Says what the app begins with, and remembers it when the history does not know it. */
export function tellFirst({ words }: FirstGeneration, app: App, books: ReleaseBooks, cause: string): void {
  if (words !== null) app.record('startsRelease', words, cause, 'warn')
  concludeLost(app, books)
  const known = books.of(app.name)
  const { id } = app.activeGroup.generation.release
  const unlike = words === null ? notTheNewest(books, app.name, id) : null
  if (unlike !== null) app.record('startsRelease', `starts ${unlike}`, cause)
  if (known === null || known.releases.some((release) => release.id === id)) return
  const { nextRelease } = nextReleaseId(known.nextRelease)
  const releases = prune([...known.releases, currentRelease(app)], [id])
  books.set(app.name, { nextRelease, active: app.active, lastGood: id, releases, rollout: null })
}

/** The app begins anew: what was under way when its supervisor was lost is over, and its end is told. */
export function concludeLost(app: App, books: ReleaseBooks): void {
  const rollout = books.of(app.name)?.rollout ?? null
  const { id } = app.activeGroup.generation.release
  if (rollout !== null && rollout.state !== 'done') {
    const ended = endRollout(rollout, 'lost', app.clock.now())
    const { outcome, why } = ended
    books.keep(app.name, ended, app.active)
    if (rollout.outcome === null) {
      const words = `${rollout.release} is ${outcome === 'failed' ? 'given up' : 'taken back'}, ${id} starts: ${why}`
      app.record(outcome === 'failed' ? 'rolloutFailed' : 'rolledBack', words, 'policy rollout', 'error')
      if (outcome !== null) app.reports.rolloutEnded(outcome)
    }
  }
  books.conclude(app.name, id, app.active)
}

function isThere({ config: { script, cwd } }: ReleaseRecord): boolean {
  return isFile(script) && existsSync(cwd)
}

/** Workers of it may be left there. */
function groupOfLastGood({ active, rollout, lastGood }: AppReleases): GroupName {
  const isOther = rollout !== null && rollout.from === lastGood && servingSide(rollout.state) === 'new'
  if (!isOther) return active
  return active === 'blue' ? 'green' : 'blue'
}

function realPathOrNull(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function wordsOf({ id, version, path }: ReleaseRecord, { script }: AppConfig): string {
  const release = labelOf({ id, version })
  return `starts ${release} from ${path}, the release that was last good, and not ${script}; \`supervise start --fresh\` forgets it`
}
