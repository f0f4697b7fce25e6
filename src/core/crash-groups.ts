// Which crashes are the same one, how often there was each, and which records stay when there are too many.
//
// Rules of this file
// 1. Counters outlive records: a group that is known counts every crash, whether its record stays or not.
// 2. The first and the latest record of a group stay as long as the group does.
// 3. One crash in a loop takes its own records' places first: it does not push out what happened once.
// 4. The first group of an app stays, however many follow it, and so does the latest one of all.

/** One kept record. `seq` rises with each crash. */
export interface CrashEntry {
  readonly seq: number
  readonly app: string
  readonly fingerprint: string
  readonly bytes: number
}

export interface CrashGroup {
  readonly app: string
  readonly fingerprint: string
  readonly title: string
  readonly reason: string
  readonly count: number
  readonly first: { readonly id: string; readonly at: string; readonly seq: number }
  readonly last: { readonly id: string; readonly at: string; readonly seq: number }
  /** How many there were in each release, the latest releases last. */
  readonly releases: readonly { readonly release: string; readonly count: number }[]
}

export interface Crash {
  readonly seq: number
  readonly id: string
  readonly at: string
  readonly app: string
  readonly fingerprint: string
  readonly title: string
  readonly reason: string
  readonly release: string
}

export interface CrashLimits {
  readonly records: number
  readonly bytes: number
  readonly groups: number
}

/** Of a group that lasts for hundreds of releases, the latest are told apart. */
const RELEASES_KEPT = 20

/** The groups with one crash more. */
export function countCrash(groups: readonly CrashGroup[], crash: Crash): readonly CrashGroup[] {
  const isSame = (group: CrashGroup) => group.app === crash.app && group.fingerprint === crash.fingerprint
  const known = groups.find(isSame)
  const { app, fingerprint, title, reason, release, ...one } = crash
  const latest = { id: one.id, at: one.at, seq: one.seq }
  if (known === undefined) {
    const releases = [{ release, count: 1 }]
    return [...groups, { app, fingerprint, title, reason, count: 1, first: latest, last: latest, releases }]
  }
  const before = known.releases.find((each) => each.release === release)?.count ?? 0
  const others = known.releases.filter((each) => each.release !== release)
  const releases = [...others, { release, count: before + 1 }].slice(-RELEASES_KEPT)
  return [...groups.filter((group) => group !== known), { ...known, count: known.count + 1, last: latest, releases }]
}

export interface Kept {
  readonly groups: readonly CrashGroup[]
  readonly entries: readonly CrashEntry[]
}

/** What stays, so that all limits hold. `groups` are in the order of their latest crash. */
export function retain(kept: Kept, limits: CrashLimits): Kept {
  let { groups, entries } = kept
  while (groups.length > limits.groups) {
    const gone = leastNeeded(groups)
    if (gone === null) break
    groups = groups.filter((group) => group !== gone)
    entries = entries.filter((entry) => !isOf(gone, entry))
  }
  while (entries.length > limits.records || bytesOf(entries) > limits.bytes) {
    const drop = leastTelling(entries, groups)
    if (drop !== null) {
      entries = entries.filter((entry) => entry !== drop)
      continue
    }
    const gone = leastNeeded(groups)
    if (gone === null) break
    groups = groups.filter((group) => group !== gone)
    entries = entries.filter((entry) => !isOf(gone, entry))
  }
  return { groups, entries }
}

function bytesOf(entries: readonly CrashEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0)
}

function isOf(group: CrashGroup, entry: CrashEntry): boolean {
  return group.app === entry.app && group.fingerprint === entry.fingerprint
}

/** The oldest between first and last of the group that has most records; null when no group has such a one. */
function leastTelling(entries: readonly CrashEntry[], groups: readonly CrashGroup[]): CrashEntry | null {
  let best: readonly CrashEntry[] = []
  for (const group of groups) {
    const between = entries.filter(
      (entry) => isOf(group, entry) && entry.seq !== group.first.seq && entry.seq !== group.last.seq,
    )
    if (between.length > best.length) best = between
  }
  return best[0] ?? null
}

/** The group whose latest crash is longest ago, but for those that rule 4 keeps. */
function leastNeeded(groups: readonly CrashGroup[]): CrashGroup | null {
  const firsts = new Map<string, CrashGroup>()
  for (const group of groups) {
    const first = firsts.get(group.app)
    if (first === undefined || group.first.seq < first.first.seq) firsts.set(group.app, group)
  }
  return groups.slice(0, -1).find((group) => firsts.get(group.app) !== group) ?? null
}
