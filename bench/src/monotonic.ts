// Time that several processes of one host agree on: milliseconds of the system's monotonic clock.

const LOOKS = 200

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * What to add to this process's `performance.now()`, which counts on the same clock from the process's start. On a busy
 * machine the process may stand still between two looks at the clocks: the closest of many looks is taken.
 */
export function offsetOfPerformanceNow(): number {
  let offset = 0
  let closest = Number.POSITIVE_INFINITY
  for (let look = 0; look < LOOKS; look++) {
    const before = performance.now()
    const at = monotonicMs()
    const after = performance.now()
    if (after - before >= closest) continue
    closest = after - before
    offset = at - (before + after) / 2
  }
  return offset
}
