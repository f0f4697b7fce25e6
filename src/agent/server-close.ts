// What an app's own `server.close()` does: Node's closes idle connections under a client that is just sending, stops
// enforcing time-outs, and lets busy connections live for ever. Here the server stops listening and drains.

import type { Server } from 'node:net'

import { closeWithoutCutting, replaceMethod } from './node-internals.ts'

type Method = (this: Server, ...args: unknown[]) => unknown

export interface CloseEvents {
  /** The app has called `close()`; its callback comes when the last connection has ended. */
  closed(server: Server): void
  /** The app has called `closeIdleConnections()`. */
  closeIdle(server: Server): void
}

export function replaceClose(server: Server, events: CloseEvents): void {
  const close = Reflect.get(server, 'close') as Method
  const replacement: Method = function (...args) {
    try {
      return closeWithoutCutting(this, () => close.apply(this, args))
    } finally {
      events.closed(this)
    }
  }
  replaceMethod(server, 'close', replacement)
  if (!('closeIdleConnections' in server)) return
  replaceMethod(server, 'closeIdleConnections', function (this: Server) {
    events.closeIdle(this)
  })
}
