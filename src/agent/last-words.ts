// What a worker tells of itself when an exception ends it: the stack, also by source maps, and the requests that it takes
// with it. Paths are told without their query, which may have secrets in it.

import type { RequestUnderWay, WorkerMessage } from '../protocol/messages.ts'
import { connections, type Connection } from './connections.ts'
import { mapStack } from './mapped-stack.ts'
import { methodOf, pathOf } from './request-clock.ts'

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

function requestsUnderWay(): readonly RequestUnderWay[] {
  const found: RequestUnderWay[] = []
  for (const connection of connections) {
    found.push(...requestsOf(connection))
    if (found.length >= MAX_REQUESTS) break
  }
  return found.slice(0, MAX_REQUESTS)
}

function requestsOf({ open, last, session }: Connection): readonly RequestUnderWay[] {
  if (open === 0) return []
  if (session === null) return last === null ? [] : [told(last.req.method, last.req.url)]
  const requests = [...session.streams].filter(([, kind]) => kind === 'request').slice(0, MAX_REQUESTS)
  return requests.map(([stream]) => told(methodOf(stream), pathOf(stream)))
}

function told(method = '', url = ''): RequestUnderWay {
  return { method, path: url.split(/[?#]/, 1)[0]?.slice(0, MAX_PATH_LENGTH) ?? '' }
}
