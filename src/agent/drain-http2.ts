// HTTP/2 sessions that leave: GOAWAY, and the streams under way finish. Streams that cross the GOAWAY on the wire are not
// run, and the client can tell by their ids that it may send them again. Serving those too would take a notice ahead of
// the GOAWAY, which Node's nghttp2 cannot send: after `goaway(0, 2 ** 31 - 1)` it ignores every later stream, and a
// limit of 0 streams refuses them before the client can know of it.

import type { ServerHttp2Session } from 'node:http2'

import { countEnded, type Connection, type Session } from './connections.ts'
import { closeWebSocket, endForApp } from './drain-linger.ts'

/** `NGHTTP2_CANCEL`; naming it would load http2 into every worker. */
const CANCEL = 8

export function newSession(http2: ServerHttp2Session): Session {
  return { http2, streams: new Map() }
}

/** On Node 22 too, whose `server.close()` sends none. There is no way back from it. */
export function sayGoAway({ http2 }: Session): void {
  if (!http2.destroyed && !http2.closed) http2.close()
}

/** Only event streams, WebSockets and tunnels are open, which do not end by themselves. */
export function isSessionLongLived(session: Session): boolean {
  if (session.streams.size === 0) return false
  return [...session.streams].every(([stream, kind]) => kind !== 'request' || isEventStream(stream.sentHeaders))
}

/** Ends every stream; says how many requests were cut and how many long-lived streams were closed. */
export function cutSession(connection: Connection, session: Session) {
  let requestsCut = 0
  let connectionsCut = 0
  for (const [stream, kind] of session.streams) {
    if (kind === 'request' && !isEventStream(stream.sentHeaders)) {
      if (stream.writableEnded) continue
      requestsCut++
      stream.close(CANCEL)
      continue
    }
    connectionsCut++
    session.streams.delete(stream)
    countEnded(connection, false)
    if (kind === 'websocket') closeWebSocket(stream)
    else endForApp(stream)
  }
  sayGoAway(session)
  return { requestsCut, connectionsCut }
}

function isEventStream(headers: Readonly<Record<string, unknown>> | undefined): boolean {
  const type = headers?.['content-type']
  return typeof type === 'string' && type.startsWith('text/event-stream')
}
