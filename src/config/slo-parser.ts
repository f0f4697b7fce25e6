// Parser of the option `slo`: which share of the requests is to be answered without an error, and which within a time.

import type { ServiceLevel } from './app-config.ts'
import { accept, isRecord, quote, refuse, refuseValue, type Parsed, type Parser } from './parser.ts'
import { formatDuration, parseDuration } from './quantities.ts'
import { nearest } from './suggest.ts'

const ALLOWED = '{ availability: 99.9, latency: { threshold: "500ms", target: 99 } }, or text such as "99.9, 500ms 99"'
const KEYS = ['availability', 'latency']
const LATENCY_KEYS = ['threshold', 'target']

export const serviceLevel: Parser<ServiceLevel> = {
  json: {
    anyOf: [
      { type: ['string', 'number'] },
      {
        type: 'object',
        additionalProperties: false,
        properties: {
          availability: { type: 'number' },
          latency: {
            type: 'object',
            additionalProperties: false,
            required: LATENCY_KEYS,
            properties: { threshold: { type: ['string', 'integer'] }, target: { type: 'number' } },
          },
        },
      },
    ],
  },
  format: ({ availability, latency }) =>
    [
      ...(availability === null ? [] : [String(availability)]),
      ...(latency === null ? [] : [`${formatDuration(latency.thresholdMs)} ${latency.target}`]),
    ].join(', '),
  parse(input) {
    if (typeof input === 'string' || typeof input === 'number') return parseText(String(input))
    if (!isRecord(input)) return refuseValue(input, ALLOWED)
    const unknown = Object.keys(input).find((key) => !KEYS.includes(key))
    if (unknown !== undefined) return refuseKey(unknown, KEYS, [])
    const { availability, latency } = input
    if (availability === undefined && latency === undefined) return refuseValue(input, ALLOWED)
    const target = availability === undefined ? null : percentage(availability)
    if (target === undefined) return refusePercentage(availability, ['availability'])
    const bound = latency === undefined ? accept(null) : parseLatency(latency)
    return bound.ok ? accept({ availability: target, latency: bound.value }) : bound
  },
}

/** `99.9`, `500ms 99`, or both with a comma between them. */
function parseText(text: string): Parsed<ServiceLevel> {
  const match = /^\s*(?:([\d.]+)%?\s*(?:,|$))?\s*(?:(\d[\d.]*(?:ms|s|m))\s+([\d.]+)%?)?\s*$/.exec(text)
  const [, availability, threshold, target] = match ?? []
  if (match === null || (availability === undefined && threshold === undefined)) return refuseValue(text, ALLOWED)
  return serviceLevel.parse(
    {
      ...(availability !== undefined && { availability: Number(availability) }),
      ...(threshold !== undefined && { latency: { threshold, target: Number(target) } }),
    },
    '',
  )
}

function parseLatency(input: unknown): Parsed<ServiceLevel['latency']> {
  if (!isRecord(input))
    return refuse(`${quote(input)} is not allowed; write { threshold: "500ms", target: 99 }`, ['latency'])
  const unknown = Object.keys(input).find((key) => !LATENCY_KEYS.includes(key))
  if (unknown !== undefined) return refuseKey(unknown, LATENCY_KEYS, ['latency'])
  const { threshold } = input
  const text = typeof threshold === 'number' ? `${threshold}ms` : threshold
  const thresholdMs = typeof text === 'string' ? parseDuration(text) : null
  if (thresholdMs === null || thresholdMs <= 0)
    return refuse(`${quote(threshold)} is not allowed; write a duration such as "500ms"`, ['latency', 'threshold'])
  const target = percentage(input['target'])
  if (target === undefined) return refusePercentage(input['target'], ['latency', 'target'])
  return accept({ thresholdMs, target })
}

/** Undefined for what is none. 100 would leave nothing that may fail. */
function percentage(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value < 100 ? value : undefined
}

function refusePercentage(value: unknown, at: readonly string[]) {
  return refuse(`${quote(value)} is not allowed; write a percentage above 0 and below 100, such as 99.9`, at)
}

function refuseKey(key: string, known: readonly string[], at: readonly string[]) {
  const meant = nearest(key, known)
  return refuse(
    `"${key}" is no part of it; write ${known.join(' and ')}${meant === null ? '' : `. Did you mean "${meant}"?`}`,
    at,
  )
}
