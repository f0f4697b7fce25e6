// The releases of an app, oldest first: naming them, remembering how each ended, choosing one to go back to, forgetting.

export type ReleaseOutcome =
  | 'started' // without a rollout
  | 'promoted'
  | 'aborted'
  | 'rolledBack'
  | 'failed'
  | 'superseded'

/** What has to be known of a release to decide; those who keep releases know more. */
export interface PastRelease {
  /** `r1`, `r2`… */
  readonly id: string
  readonly version: string | null
  /** Null as long as it is being rolled out. */
  readonly outcome: ReleaseOutcome | null
  readonly why: string | null
  readonly endedAt: string | null
  /** It has, or may have, answered public requests. */
  readonly served?: boolean
  /** Id of the release that it is again, since a rollback had to start that one anew. */
  readonly again?: string
}

export interface Ending {
  readonly outcome: ReleaseOutcome
  readonly why: string | null
  readonly endedAt: string
}

/** How many are remembered. */
export const HISTORY_LENGTH = 20

/** Ids are never used again, so that a log line means one release. */
export function nextReleaseId(nextRelease: number): { readonly id: string; readonly nextRelease: number } {
  return { id: `r${nextRelease}`, nextRelease: nextRelease + 1 }
}

/** What was known to be good can still be rolled back later, so an outcome may be told anew. */
export function recordOutcome<Release extends PastRelease>(
  releases: readonly Release[],
  id: string,
  ending: Ending,
): readonly Release[] {
  return releases.map((release) => (release.id === id ? Object.assign({}, release, ending) : release))
}

/**
 * No release is being rolled out any more, and `active` serves: those whose end nobody saw, since their supervisor was
 * lost, have one now.
 */
export function concludeAll<Release extends PastRelease>(
  releases: readonly Release[],
  active: string,
  endedAt: string,
): readonly Release[] {
  return releases.map((release) => {
    if (release.outcome !== null) return release
    const outcome = release.id === active ? 'promoted' : release.served === true ? 'rolledBack' : 'failed'
    return { ...release, outcome, why: 'its supervisor was lost before it saw the end', endedAt }
  })
}

/** What was found good and is taken back all the same is good no more. */
export function lastGoodAfter(
  {
    outcome,
    release,
    from,
  }: { readonly outcome: ReleaseOutcome | null; readonly release: string; readonly from: string },
  lastGood: string | null,
): string | null {
  if (outcome === 'promoted') return release
  return outcome !== null && lastGood === release ? from : lastGood
}

/**
 * What `rollback` without an argument means: the newest good release before the active one. Never a later one, so that going
 * back twice goes back by two: what was gone back from is not gone back to. One that was started anew to go back to it is
 * where it was the first time.
 */
export function choosePrevious<Release extends PastRelease>(
  releases: readonly Release[],
  active: string,
): Release | null {
  const first = firstOf(releases, active)
  const before = releases.slice(
    0,
    Math.max(
      0,
      releases.findIndex(({ id }) => id === first),
    ),
  )
  return before.findLast(wasGood) ?? null
}

function firstOf(releases: readonly PastRelease[], id: string): string {
  const { again } = releases.find((release) => release.id === id) ?? {}
  return again ?? id
}

/** What a release is called that `of` is started as, to go back to it. */
export function againOf(of: Pick<PastRelease, 'id' | 'again'>): string {
  return of.again ?? of.id
}

/** By id, or by version label: of several with the same version the newest. */
export function findRelease<Release extends PastRelease>(releases: readonly Release[], name: string): Release | null {
  const byId = releases.find((release) => release.id === name)
  return byId ?? releases.findLast((release) => release.version === name) ?? null
}

/** Forgets the oldest, but never one that is in use. */
export function prune<Release extends PastRelease>(
  releases: readonly Release[],
  inUse: readonly string[],
  length = HISTORY_LENGTH,
): readonly Release[] {
  let surplus = releases.length - length
  return releases.filter((release) => {
    const isKept = surplus <= 0 || inUse.includes(release.id)
    if (!isKept) surplus -= 1
    return isKept
  })
}

function wasGood({ outcome }: PastRelease): boolean {
  return outcome === 'promoted' || outcome === 'started'
}
