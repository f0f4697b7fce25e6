// May two releases live side by side on the same data? During a rollout both run, and after it going back must still be
// possible: so each has to read what the other one writes. A change of the data therefore takes three releases:
//
//   before    writes 6, reads 6
//   expand    writes 6, reads 6 and 7     the hook `expand` has made room for 7 before
//   switch    writes 7, reads 6 and 7
//   contract  writes 7, reads 7           the hook `contract` takes the room for 6 away afterwards: no way back behind it
//
// A release that says nothing about its data is asked nothing.

export interface DataVersions {
  readonly writes: number
  /** Its own among them. */
  readonly reads: readonly number[]
}

export type Coexistence =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** The step that has to come first; `contract` is one that was made and would have to be undone. */
      readonly step: 'expand' | 'switch' | 'contract'
      /** In words that follow "since", about the new release. */
      readonly why: string
      /** What can be done. */
      readonly fix: string
    }

export type ParsedDataVersions =
  | { readonly kind: 'none' }
  | { readonly kind: 'versions'; readonly versions: DataVersions }
  | { readonly kind: 'unusable'; readonly problem: string }

/** From the content of `supervise.release.json`: `{ "data": { "writes": 7, "reads": [6, 7] } }`. Other keys are others' business. */
export function parseDataVersions(content: unknown): ParsedDataVersions {
  if (!isRecord(content)) return unusable('it is no object such as { "data": { "writes": 7, "reads": [6, 7] } }')
  const data = content['data']
  if (data === undefined) return { kind: 'none' }
  if (!isRecord(data)) return unusable('data is no object such as { "writes": 7, "reads": [6, 7] }')
  const { writes, reads } = data
  if (!isVersion(writes)) return unusable('data.writes is no whole number from 0')
  if (!Array.isArray(reads) || !reads.every(isVersion)) return unusable('data.reads is no list of whole numbers from 0')
  if (!reads.includes(writes)) return unusable(`data.reads lacks ${writes}, which the release itself writes`)
  return { kind: 'versions', versions: { writes, reads } }
}

/** Whether `next` may run beside `current`, which serves now; forwards and backwards alike. */
export function mayLiveTogether(current: DataVersions | null, next: DataVersions | null): Coexistence {
  if (current === null || next === null) return { ok: true }
  const isReadByCurrent = current.reads.includes(next.writes)
  const readsCurrent = next.reads.includes(current.writes)
  if (isReadByCurrent && readsCurrent) return { ok: true }
  if (next.writes < current.writes)
    return isReadByCurrent ? expandIsBehind(current, next) : contractIsBehind(current, next)
  return isReadByCurrent ? switchIsMissing(current, next) : expandIsMissing(current, next)
}

/**
 * Whether `next` may be started while `current` serves. One that is warm already may be gone back to as long as the two live
 * together; one that is started anew comes too late for the room that the contract step took away.
 */
export function mayFollow(current: DataVersions | null, next: DataVersions | null): Coexistence {
  const together = mayLiveTogether(current, next)
  if (!together.ok || current === null || next === null) return together
  const gone = next.reads.find((version) => version < Math.min(...current.reads))
  return gone === undefined ? together : roomIsGone(current, gone)
}

export interface PastWriter {
  /** Of the release, as people know it. */
  readonly name: string
  readonly writes: number
}

/**
 * Whether `next` could read all that releases before it may have written. Two steps back can each be allowed where both
 * together are not: what the switch release wrote is still there when the expand release serves again.
 */
export function canReadWhatIsThere(next: DataVersions | null, past: readonly PastWriter[]): Coexistence {
  const newest = next === null ? Infinity : Math.max(...next.reads)
  const writer = past.find(({ writes }) => writes > newest)
  if (writer === undefined) return { ok: true }
  return {
    ok: false,
    step: 'expand',
    why: `it cannot read data of version ${writer.writes}, which ${writer.name} may have written`,
    fix: `Go back to a release that reads ${writer.writes}, too.`,
  }
}

function expandIsMissing(current: DataVersions, next: DataVersions): Coexistence {
  return {
    ok: false,
    step: 'expand',
    why: `it writes data of version ${next.writes}, which the running release cannot read`,
    fix: `Expand first: deploy a release that writes ${current.writes} and reads ${both(current, next)}; then one that writes ${next.writes} and reads both.`,
  }
}

function switchIsMissing(current: DataVersions, next: DataVersions): Coexistence {
  return {
    ok: false,
    step: 'switch',
    why: `it cannot read data of version ${current.writes}, which the running release writes`,
    fix: `Switch first: deploy a release that writes ${next.writes} and reads ${both(current, next)}, then this one.`,
  }
}

function expandIsBehind(current: DataVersions, next: DataVersions): Coexistence {
  return {
    ok: false,
    step: 'expand',
    why: `it cannot read data of version ${current.writes}, which the running release has written`,
    fix: `Go back to a release that reads ${both(next, current)}.`,
  }
}

function contractIsBehind(current: DataVersions, next: DataVersions): Coexistence {
  return {
    ok: false,
    step: 'contract',
    why: `it writes data of version ${next.writes}, and the contract step to ${Math.min(...current.reads)} was made`,
    fix: 'Go forward with a corrected release. `--force` goes back all the same, on data that was made for others.',
  }
}

function roomIsGone(current: DataVersions, gone: number): Coexistence {
  return {
    ok: false,
    step: 'contract',
    why: `it counts on room for data of version ${gone}, which the contract step to ${Math.min(...current.reads)} took away`,
    fix: `Go forward with a release that no longer has ${gone} in \`data.reads\`.`,
  }
}

function both(first: DataVersions, second: DataVersions): string {
  return `${first.writes} and ${second.writes}`
}

function unusable(problem: string): ParsedDataVersions {
  return { kind: 'unusable', problem }
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
