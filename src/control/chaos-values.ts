// What a client may ask of a rehearsal of failures, read as request-values.ts reads the rest.

import { badRequest } from '../errors/control.ts'
import { FAULT_KINDS } from '../supervisor/fault-words.ts'
import type { ChaosRequest, FaultKind } from './chaos-messages.ts'
import { allowOnly, mistyped, type Fields } from './request-values.ts'

export { FAULT_KINDS }

export const CHAOS_LIMITS = {
  forMs: { least: 1000, most: 30 * 60_000, usual: 60_000 },
  everyMs: { least: 1000, most: 10 * 60_000, usual: 5000 },
  delayMs: { least: 1, most: 5000, usual: 200 },
  memoryBytes: { least: 2 ** 20, most: 2 ** 36 },
} as const

const FIELDS = ['forMs', 'everyMs', 'only', 'seed', 'memoryBytes', 'delayMs', 'duringRollout', 'done']

export function readChaos(body: Fields): ChaosRequest {
  allowOnly(Object.keys(body), FIELDS, 'field')
  const { duringRollout, only, done } = body
  if (duringRollout !== undefined && typeof duringRollout !== 'boolean')
    throw mistyped('duringRollout', 'true or false')
  const seed = numberIn(body, 'seed', { least: 0, most: Number.MAX_SAFE_INTEGER })
  const memoryBytes = numberIn(body, 'memoryBytes', CHAOS_LIMITS.memoryBytes)
  const delayMs = numberIn(body, 'delayMs', CHAOS_LIMITS.delayMs)
  return {
    forMs: numberIn(body, 'forMs', CHAOS_LIMITS.forMs) ?? CHAOS_LIMITS.forMs.usual,
    everyMs: numberIn(body, 'everyMs', CHAOS_LIMITS.everyMs) ?? CHAOS_LIMITS.everyMs.usual,
    ...(only !== undefined && { only: kindsIn('only', only) }),
    ...(done !== undefined && { done: kindsIn('done', done) }),
    ...(seed !== undefined && { seed }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(delayMs !== undefined && { delayMs }),
    ...(duringRollout !== undefined && { duringRollout }),
  }
}

export function readChaosQuery(query: URLSearchParams): number {
  allowOnly([...query.keys()], ['forMs'], 'parameter')
  const forMs = query.has('forMs') ? Number(query.get('forMs')) : undefined
  return numberIn({ forMs }, 'forMs', CHAOS_LIMITS.forMs) ?? CHAOS_LIMITS.forMs.usual
}

function numberIn(fields: Fields, name: string, limit: { readonly least: number; readonly most: number }) {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= limit.least && value <= limit.most)
    return value
  throw badRequest(`"${name}" is ${JSON.stringify(value)}`, `Use a whole number from ${limit.least} to ${limit.most}.`)
}

function kindsIn(field: string, value: unknown): readonly FaultKind[] {
  const known = Array.isArray(value) ? value.flatMap((one) => FAULT_KINDS.find((kind) => kind === one) ?? []) : []
  if (Array.isArray(value) && value.length === known.length && (value.length > 0 || field === 'done')) return known
  throw badRequest(`"${field}" is ${JSON.stringify(value)}`, `List some of ${FAULT_KINDS.join(', ')}.`)
}
