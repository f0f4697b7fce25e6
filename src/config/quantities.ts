// Durations and sizes: from the text that people write to milliseconds and bytes, and back.

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** Longer timers overflow in Node and fire at once. */
export const LONGEST_MS = 24 * 86_400_000

const NUMBER = String.raw`(\d+(?:\.\d+)?)`
const DURATION = new RegExp(`^(?:${NUMBER}d)?(?:${NUMBER}h)?(?:${NUMBER}m(?!s))?(?:${NUMBER}s)?(?:${NUMBER}ms)?$`)

/** Milliseconds, or null for what is no duration. A number without a unit is none, except 0. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0
  const match = text === '' ? null : DURATION.exec(text)
  if (match === null) return null
  let total = 0
  for (const [index, [, unitMs]] of DURATION_UNITS.entries()) total += Number(match[index + 1] ?? 0) * unitMs
  return Math.round(total)
}

/** The shortest text that `parseDuration` reads as `ms`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms)
  let text = ''
  for (const [unit, unitMs] of DURATION_UNITS) {
    const count = Math.floor(rest / unitMs)
    if (count > 0) text += `${count}${unit}`
    rest -= count * unitMs
  }
  return text === '' ? '0' : text
}

const DURATION_WORDS: readonly (readonly [RegExp, string])[] = [
  [/(?<=\d)(?:milliseconds?|millis|msecs?)/g, 'ms'],
  [/(?<=\d)(?:seconds?|secs?)/g, 's'],
  [/(?<=\d)(?:minutes?|mins?)/g, 'm'],
  [/(?<=\d)(?:hours?|hrs?)/g, 'h'],
  [/(?<=\d)days?/g, 'd'],
]

/** What somebody who wrote `text` may have meant. */
export function likelyDurations(text: string): readonly string[] {
  if (Number(text) > 0) return [`${text}s`, `${text}ms`].filter((likely) => parseDuration(likely) !== null)
  let likely = text.toLowerCase().replaceAll(/[\s,]|and/g, '')
  for (const [word, unit] of DURATION_WORDS) likely = likely.replaceAll(word, unit)
  return likely !== text && parseDuration(likely) !== null ? [likely] : []
}

const SIZE = /^(\d+(?:\.\d+)?) ?(?:([kmgt])(?:i?b)?|b)?$/i
const SIZE_UNITS = ['', 'K', 'M', 'G', 'T'] as const

/** Bytes, or null for what is no size. K, KB and KiB are all 1024 bytes. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text)
  if (match === null) return null
  const power = SIZE_UNITS.findIndex((unit) => unit === (match[2] ?? '').toUpperCase())
  const bytes = Math.round(Number(match[1]) * 1024 ** power)
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** The shortest text that `parseSize` reads as exactly `bytes`. */
export function formatSize(bytes: number): string {
  let power = 0
  let count = bytes
  while (count > 0 && count % 1024 === 0 && power < SIZE_UNITS.length - 1) {
    count /= 1024
    power += 1
  }
  return `${count}${SIZE_UNITS[power]}`
}
