// The traffic of the last hour, minute by minute, so that what is older than an hour falls out by itself.
//
// Rules of this file
// 1. An hour is 60 minutes, of which the newest is not over: what is asked for covers 59 to 60 minutes.
// 2. Whatever comes, there are at most 60 of them, oldest first. A clock that goes back adds to the newest.

import { NO_TRAFFIC, plus, type Traffic } from './verdict.ts'

export interface Minute {
  /** Minutes of the clock. */
  readonly at: number
  readonly traffic: Traffic
}

export type TrafficHour = readonly Minute[]

const MINUTE_MS = 60_000
export const MINUTES = 60

export function addTraffic(hour: TrafficHour, more: Traffic, now: number): TrafficHour {
  const at = Math.floor(now / MINUTE_MS)
  const newest = hour.at(-1)
  if (newest !== undefined && at <= newest.at)
    return [...hour.slice(0, -1), { at: newest.at, traffic: plus(newest.traffic, more) }]
  return [...hour.filter((minute) => isInHour(minute, at)), { at, traffic: more }]
}

export function trafficOf(hour: TrafficHour, now: number): Traffic {
  const at = Math.floor(now / MINUTE_MS)
  return hour.reduce((sum, minute) => (isInHour(minute, at) ? plus(sum, minute.traffic) : sum), NO_TRAFFIC)
}

function isInHour(minute: Minute, at: number): boolean {
  return minute.at > at - MINUTES
}
