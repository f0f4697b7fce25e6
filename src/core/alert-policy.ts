// Which alerts are sent and which are left out, for one receiver. Somebody who is called for each of a thousand equal
// crashes stops listening.
//
// Rules of this file
// 1. The same alert is sent again only when `repeatMs` have passed; how many were left out meanwhile goes with the next.
// 2. Never more than `most` alerts within `windowMs`, whatever they are.
// 3. What is remembered is bounded, however many different alerts there are.

export interface AlertLimits {
  readonly repeatMs: number
  readonly most: number
  readonly windowMs: number
}

export interface AlertMemory {
  /** When alerts were sent, within the window. */
  readonly sent: readonly number[]
  /** The latest of each, oldest first. */
  readonly latest: ReadonlyMap<string, { readonly at: number; readonly leftOut: number }>
  /** Left out by rule 2, or forgotten by rule 3, and not told yet. */
  readonly leftOut: number
}

export const NOTHING_SENT: AlertMemory = { sent: [], latest: new Map(), leftOut: 0 }

const REMEMBERED = 100

export interface AlertDecision {
  readonly memory: AlertMemory
  /** Null: it is left out. Otherwise how many were left out before it, to be told with it. */
  readonly send: { readonly leftOut: number } | null
}

/** `key` is the same for alerts that say the same. */
export function decideAlert(memory: AlertMemory, key: string, now: number, limits: AlertLimits): AlertDecision {
  const sent = memory.sent.filter((at) => at > now - limits.windowMs)
  const known = memory.latest.get(key)
  if (known !== undefined && now - known.at < limits.repeatMs) {
    const latest = new Map(memory.latest).set(key, { at: known.at, leftOut: known.leftOut + 1 })
    return { memory: { ...memory, sent, latest }, send: null }
  }
  if (sent.length >= limits.most) return { memory: { ...memory, sent, leftOut: memory.leftOut + 1 }, send: null }
  const leftOut = memory.leftOut + (known?.leftOut ?? 0)
  return { memory: remember({ ...memory, sent: [...sent, now] }, key, now), send: { leftOut } }
}

function remember(memory: AlertMemory, key: string, now: number): AlertMemory {
  const latest = new Map(memory.latest)
  latest.delete(key)
  latest.set(key, { at: now, leftOut: 0 })
  const [oldest] = latest
  if (latest.size <= REMEMBERED || oldest === undefined) return { ...memory, latest, leftOut: 0 }
  latest.delete(oldest[0])
  return { ...memory, latest, leftOut: oldest[1].leftOut }
}
