// What a worker carries at the moment, read from counters that cost a request a few nanoseconds.

import type { Responses } from '../protocol/messages.ts'
import { responses } from './answers.ts'
import { connections, counters } from './connections.ts'
import { figures } from './route-state.ts'

export interface Traffic {
  /** Open connections of watched servers. */
  readonly connections: number
  /** HTTP requests begun since the first server listened. */
  readonly requests: number
  /** HTTP requests under way now. */
  readonly inFlight: number
  /** What the app has answered, by class of status. */
  readonly responses: Responses
  /** Requests passed to the other group, tries of it made again, and requests that nobody there answered. */
  readonly forwarded: number
  readonly forwardRetries: number
  readonly forwardFailures: number
}

export function traffic(): Traffic {
  const { begun: requests, inFlight } = counters
  return { connections: connections.size, requests, inFlight, responses: responses(), ...figures }
}
