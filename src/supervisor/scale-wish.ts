// What `supervise scale 4`, `+1`, `-2` and `max` mean.

import { invalidScale, scaleOutOfRange } from '../errors/app.ts'

export const MAX_WORKERS = 1000

/** The number of workers wished for; throws a usage error. */
export function parseScale(app: string, text: string, current: number, cpus: number): number {
  if (text === 'max') return cpus
  const match = /^([+-]?)(\d{1,6})$/.exec(text.trim())
  if (match === null) throw invalidScale(text)
  const amount = Number(match[2])
  const result = match[1] === '+' ? current + amount : match[1] === '-' ? current - amount : amount
  if (result < 1 || result > MAX_WORKERS) throw scaleOutOfRange(app, text, result)
  return result
}
