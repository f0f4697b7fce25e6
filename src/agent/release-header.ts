// The response header that names the release which answered. It is there before the app's handler runs, so that the app
// may take it off again.

import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'

import { replaceMethod, restoreMethod } from './node-internals.ts'
import { routing } from './route-state.ts'

/** Where an HTTP/2 stream takes its response's headers. */
const RESPONDERS = { respond: 0, respondWithFD: 1, respondWithFile: 1 } as const

type Responder = (this: ServerHttp2Stream, ...args: unknown[]) => unknown
type Headers = Record<string, unknown>

const wrapped = new WeakMap<ServerHttp2Stream, Map<string, Responder>>()

/** Always false: the app goes on with the response. */
export function nameRelease(response: ServerResponse): false {
  const { releaseHeader, release } = routing
  if (releaseHeader === null || response.headersSent) return false
  const { stream } = response as { stream?: ServerHttp2Stream }
  if (stream !== undefined) unwrap(stream)
  response.setHeader(releaseHeader, release)
  return false
}

/** An app that takes streams has no response before it responds. One that takes requests gets `nameRelease` next. */
export function nameReleaseOfStream(stream: ServerHttp2Stream): false {
  const { releaseHeader, release } = routing
  if (releaseHeader === null || wrapped.has(stream)) return false
  const responders = new Map<string, Responder>()
  for (const [name, at] of Object.entries(RESPONDERS)) {
    const original = Reflect.get(stream, name) as Responder
    const responder: Responder = function (...args) {
      args[at] = withHeader(args[at], releaseHeader, release)
      return original.apply(this, args)
    }
    responders.set(name, responder)
    replaceMethod(stream, name, responder)
  }
  wrapped.set(stream, responders)
  return false
}

function unwrap(stream: ServerHttp2Stream): void {
  for (const [name, responder] of wrapped.get(stream) ?? []) restoreMethod(stream, name, responder)
}

function withHeader(headers: unknown, name: string, value: string): unknown {
  if (Array.isArray(headers)) return [...(headers as unknown[]), name, value]
  const given = (headers ?? {}) as Headers
  return name in given ? given : { ...given, [name]: value }
}
