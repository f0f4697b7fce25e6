// Durations in words as short as people read them: `812ms`, `2.1s`, `3m 12s`, `2d 4h`.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A measured time: `812ms`, `2.1s`, `12s`, `3m 12s`, `3h 12m`, `2d 4h`. */
export function formatDuration(ms: number): string {
  const rounded = Math.max(0, Math.round(ms))
  return rounded < SECOND ? `${rounded}ms` : formatElapsed(rounded)
}

/** A measured time whose tenths of a millisecond mean something: `0.8ms`, then as `formatDuration`. */
export function formatLatency(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)}ms` : formatDuration(ms)
}

/** A time that still runs: as `formatDuration`, but its first second counts in tenths, so that the unit stays put. */
export function formatElapsed(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100))
  if (tenths < 100) return `${Math.floor(tenths / 10)}.${tenths % 10}s`
  const whole = Math.floor(ms / SECOND) * SECOND
  if (whole < MINUTE) return `${whole / SECOND}s`
  if (whole < HOUR) return pair(whole, MINUTE, 'm', SECOND, 's')
  if (whole < DAY) return pair(whole, HOUR, 'h', MINUTE, 'm')
  return pair(whole, DAY, 'd', HOUR, 'h')
}

/** How long a process runs: whole seconds, `4s`, `3m 12s`. */
export function formatUptime(seconds: number): string {
  const ms = Math.max(0, Math.floor(seconds)) * SECOND
  return ms < MINUTE ? `${ms / SECOND}s` : formatElapsed(ms)
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small)
  return rest === 0
    ? `${Math.floor(ms / large)}${largeName}`
    : `${Math.floor(ms / large)}${largeName} ${rest}${smallName}`
}
