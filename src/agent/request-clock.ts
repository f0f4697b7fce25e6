// When a request began and what it asked for, kept on the response itself until it is over: a map would cost several times
// as much.

import { performance } from 'node:perf_hooks'

/** Bound now: `globalThis.performance` is looked up by a getter each time, and an app's fake timers may replace `now`. */
const now = performance.now.bind(performance)

const BEGAN = Symbol('supervise.began')
const METHOD = Symbol('supervise.method')
const PATH = Symbol('supervise.path')

interface Timed {
  [BEGAN]?: number
  [METHOD]?: string
  [PATH]?: string
}

export function noteBegin(exchange: object, method: string): void {
  const timed: Timed = exchange
  timed[BEGAN] = now()
  timed[METHOD] = method
}

/** Of a stream of HTTP/2, which does not know its own. */
export function notePath(exchange: object, path: string): void {
  const timed: Timed = exchange
  timed[PATH] = path
}

export function pathOf(exchange: object): string {
  const { [PATH]: path }: Timed = exchange
  return path ?? ''
}

/** 0 for a request that nobody saw begin. */
export function durationOf(exchange: object): number {
  const { [BEGAN]: began }: Timed = exchange
  return began === undefined ? 0 : now() - began
}

export function methodOf(exchange: object): string {
  const { [METHOD]: method }: Timed = exchange
  return method ?? ''
}
