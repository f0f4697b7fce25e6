// The shape of Node's own listening handles (`TCP`, `Pipe`), as far as this project touches them. They are what travels
// over the link; nothing else in the project knows more of them than this.

import type { SocketName } from './messages.ts'

export interface SocketHandle {
  readonly fd: number
  /** Called with a libuv error, or 0 and the accepted connection's handle. */
  onconnection: ((status: number, connection: SocketHandle | undefined) => void) | null
  /** Returns 0 or a negative errno. */
  listen(backlog: number): number
  /** Fills `out`; returns 0 or a negative errno. */
  getsockname(out: SocketName): number
  close(done?: () => void): void
  ref(): void
  unref(): void
}
