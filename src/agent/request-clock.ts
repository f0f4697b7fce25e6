// When a request began and what its method was, kept on the response itself until it is over: a map would cost several times
// as much.

const BEGAN = Symbol('supervise.began')
const METHOD = Symbol('supervise.method')

interface Timed {
  [BEGAN]?: number
  [METHOD]?: string
}

export function noteBegin(exchange: object, method: string): void {
  const timed: Timed = exchange
  timed[BEGAN] = performance.now()
  timed[METHOD] = method
}

/** 0 for a request that nobody saw begin. */
export function durationOf(exchange: object): number {
  const { [BEGAN]: began }: Timed = exchange
  return began === undefined ? 0 : performance.now() - began
}

export function methodOf(exchange: object): string {
  const { [METHOD]: method }: Timed = exchange
  return method ?? ''
}
