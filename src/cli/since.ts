// `--since`: a moment, written as the time that has passed since, or as itself.

import { parseDuration } from '../config/quantities.ts'
import { unknownTime } from '../errors/logs.ts'

/** With no zone it is local time, as the clock on the wall says; without a time of day, midnight. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/

/** As records have their times. */
export function parseSince(text: string, now: Date): string {
  const durationMs = parseDuration(text.trim())
  if (durationMs !== null) return new Date(now.getTime() - durationMs).toISOString()
  const match = TIME.exec(text.trim())
  if (match === null) throw unknownTime(text)
  const [, day = '', time = '00:00', zone = ''] = match
  const at = new Date(`${day}T${time}${zone}`)
  // A day such as February 30 is no mistake to JavaScript.
  const midnight = new Date(`${day}T00:00Z`)
  const isTime = !Number.isNaN(at.getTime()) && !Number.isNaN(midnight.getTime())
  if (!isTime || !midnight.toISOString().startsWith(day)) throw unknownTime(text)
  return at.toISOString()
}
