// What is told of crashes: the part of messages.ts that is about them.

import type { GroupName, RequestUnderWay } from '../protocol/messages.ts'

export interface CrashRecord {
  /** `c1`, `c2`…, for `supervise crashes show`. */
  readonly id: string
  /** Equal for crashes that are the same one; see docs/how-to/investigate-a-crash.md. */
  readonly fingerprint: string
  /** What the crash is called in a list. */
  readonly title: string
  readonly at: string
  readonly app: string
  readonly group: GroupName
  readonly release: string
  readonly worker: number
  readonly pid: number
  readonly code: number | null
  readonly signal: string | null
  readonly reason: 'exit' | 'signal' | 'out-of-memory' | 'hang' | 'start-failure' | 'liveness'
  /** What happened, in one sentence. */
  readonly words: string
  readonly uptimeSeconds: number
  readonly stderr: readonly string[]
  readonly rssBytes: number | null
  readonly loopDelayMs: number | null
  readonly requestsInFlight: number | null
  /** Path of Node's diagnostic report. */
  readonly reportPath: string | null
  /** Of the exception that nobody caught; null when there was none, or the worker could not tell it. */
  readonly stack: string | null
  /** The same in the files that the app was built from, where source maps say so. */
  readonly mappedStack: string | null
  /** Requests under way, when the worker could tell them at its end; paths are without their query. */
  readonly requests: readonly RequestUnderWay[]
  /** The last five minutes, oldest first. */
  readonly curve: readonly VitalsPoint[]
  readonly heapSnapshots: readonly string[]
}

/** How a worker did at a moment before its end. */
export interface VitalsPoint {
  /** Before the end. */
  readonly secondsBefore: number
  readonly rssBytes: number | null
  readonly heapUsedBytes: number
  readonly loopDelayMs: number
  /** 0 to 1. */
  readonly loopUtilization: number
  readonly requestsInFlight: number
}

/** The same crash, again and again. */
export interface CrashGroup {
  readonly app: string
  readonly fingerprint: string
  readonly title: string
  readonly reason: string
  readonly count: number
  readonly firstAt: string
  readonly firstId: string
  readonly lastAt: string
  readonly lastId: string
  readonly releases: readonly { readonly release: string; readonly count: number }[]
}

/** `GET /v1/crashes/:id`. */
export interface CrashAnswer {
  readonly crash: CrashRecord
  /** Those that are the same one; null when they had to make room. */
  readonly group: CrashGroup | null
}

/** `GET /v1/crashes`: all that are counted, and the latest of them. */
export interface CrashList {
  readonly groups: readonly CrashGroup[]
  readonly crashes: readonly CrashRecord[]
}
