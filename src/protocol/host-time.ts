// A time that every process of this host has in common: the monotonic clock of its kernel.

/** Milliseconds since a moment that is the same for all of them. */
export function hostMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
