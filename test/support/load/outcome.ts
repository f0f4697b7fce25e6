// What can become of one request, and what is noted down about those that failed.

export const FAILURES = [
  'refused', // nobody listened (or the path of a Unix socket was gone)
  'reset', // reset after the request was sent, before the first byte of its answer
  'emptyReply', // ended cleanly after the request was sent, before the first byte of its answer
  'truncated', // ended or reset in the middle of an answer
  'malformed', // bytes that are no answer
  'wrongBody', // a whole answer with another body than expected, or an answer to another request
  'unexpectedStatus',
  'timedOut',
  'extraBytes', // bytes after the end of the last answer that was due
  'pipelineCut', // sent already, when an earlier answer on the same connection said `Connection: close`
  'abnormalClose', // a WebSocket that ended without a close frame (1006)
  'clientError', // this process's own limits: ports, descriptors
] as const

export type FailureKind = (typeof FAILURES)[number]

export interface Failure {
  readonly kind: FailureKind
  /** Which lane's connection, such as `keepAlive`. */
  readonly lane: string
  readonly detail: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly connectionAgeMs: number
  /** How long the connection had been idle when the request was sent; null for its first one. */
  readonly idleBeforeMs: number | null
  readonly requestsBefore: number
  /** Bytes of the answer that had come. */
  readonly bytesSeen: number
  readonly localPort: number | null
}

/** What the connection knows of itself when a request on it fails. */
export type FailureContext = Omit<Failure, 'kind' | 'lane' | 'detail' | 'at'>

/** Names what an error of a socket means for a request without any byte of its answer. */
export function failureOfError(code: string): FailureKind {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'refused'
    case 'ECONNRESET':
    case 'EPIPE':
      return 'reset'
    case 'ETIMEDOUT':
      return 'timedOut'
    default:
      return 'clientError'
  }
}

/** `code` of an error from Node, when it has one. */
export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
