// What a worker carries at the moment, read from counters that cost a request a few nanoseconds.

import { connections, counters } from './connections.ts'

export interface Traffic {
  /** Open connections of watched servers. */
  readonly connections: number
  /** HTTP requests begun since the first server listened. */
  readonly requests: number
  /** HTTP requests under way now. */
  readonly inFlight: number
}

export function traffic(): Traffic {
  return { connections: connections.size, requests: counters.begun, inFlight: counters.inFlight }
}
