// Counting how long things took, so that counts of many processes can be added and percentiles are still known to 2 %: one
// bucket a microsecond up to 64 µs, then 32 buckets for each doubling (log-linear, as in Gil Tene's HdrHistogram). Worker
// and supervisor share it.

/** Steps for each doubling, as a power of two: a bucket is at most 1/32 of its value wide, its middle at most 1/64 off. */
const STEP_BITS = 5
const STEPS = 1 << STEP_BITS
/** Below this each microsecond has a bucket of its own. */
const LINEAR = 2 * STEPS
/** 71 minutes: what takes longer counts as this. */
const MOST_US = 2 ** 32 - 1

export const LATENCY_BUCKETS = bucketOf(MOST_US) + 1

/** Which bucket a duration in microseconds belongs to. */
export function bucketOf(durationUs: number): number {
  const us = durationUs < MOST_US ? durationUs >>> 0 : MOST_US
  if (us < LINEAR) return us
  const shift = 31 - Math.clz32(us) - STEP_BITS
  return (shift << STEP_BITS) + (us >>> shift)
}

/** The middle of a bucket, in microseconds. */
export function middleOf(bucket: number): number {
  if (bucket < LINEAR) return bucket
  const shift = (bucket >>> STEP_BITS) - 1
  const lowest = (bucket - (shift << STEP_BITS)) * 2 ** shift
  return lowest + (2 ** shift - 1) / 2
}

/**
 * The duration, in microseconds, that `share` (0 to 1) of what was counted did not exceed, by the nearest-rank method; null
 * when nothing was counted.
 */
export function quantile(counts: ArrayLike<number>, share: number): number | null {
  let total = 0
  for (let bucket = 0; bucket < counts.length; bucket++) total += counts[bucket] ?? 0
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] ?? 0
    if (seen >= rank) return middleOf(bucket)
  }
  return null
}

/** How many took at most so long; what is in the bucket of the bound itself counts as within it. */
export function countWithin(counts: ArrayLike<number>, boundUs: number): number {
  const last = bucketOf(boundUs)
  let within = 0
  for (let bucket = 0; bucket <= last; bucket++) within += counts[bucket] ?? 0
  return within
}
