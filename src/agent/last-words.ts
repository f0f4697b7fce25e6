// What a worker tells of itself when an exception ends it: the stack, also by source maps, and the requests that it takes
// with it. Paths are told without their query, which may have secrets in it.

import type { RequestUnderWay, WorkerMessage } from '../protocol/messages.ts'
import { connections } from './connections.ts'
import { mapStack } from './mapped-stack.ts'

const MAX_REQUESTS = 20
const MAX_PATH_LENGTH = 200

export function lastWords(stack: string, origin: string): Extract<WorkerMessage, { type: 'uncaught' }> {
  const mapped = attempt(() => mapStack(stack))
  const requests = attempt(requestsUnderWay)
  return { type: 'uncaught', origin, stack, ...(mapped && { mapped }), ...(requests && { requests }) }
}

/** The process ends anyway, and what it can say must not be lost for what it cannot. */
function attempt<Result>(act: () => Result): Result | null {
  try {
    return act()
  } catch {
    return null
  }
}

/** Of HTTP/1: a stream of HTTP/2 does not know its path. */
function requestsUnderWay(): readonly RequestUnderWay[] {
  const found: RequestUnderWay[] = []
  for (const { open, last } of connections) {
    if (open === 0 || last === null) continue
    const { method = '', url = '' } = last.req
    found.push({ method, path: url.split(/[?#]/, 1)[0]?.slice(0, MAX_PATH_LENGTH) ?? '' })
    if (found.length === MAX_REQUESTS) break
  }
  return found
}
