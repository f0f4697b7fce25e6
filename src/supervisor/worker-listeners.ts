// What a worker has told of its listeners: where each can be asked in private, and what its clients speak.

import type { ListenerKey, Speech } from '../protocol/messages.ts'

/** Null for what is no HTTP. */
export type Speeches = Map<ListenerKey, Speech | null>

interface Noted {
  readonly endpoints: Map<ListenerKey, string>
  readonly speech: Speeches
}

interface Listening {
  readonly key: ListenerKey
  readonly endpoint: string | null
  /** Left out by agents that do not say. */
  readonly speaks?: Speech | null
}

export function noteListening({ endpoints, speech }: Noted, { key, endpoint, speaks = 'http' }: Listening): void {
  if (endpoint !== null) endpoints.set(key, endpoint)
  // What is not gated has no key, and no place where it could be asked.
  if (key !== '') speech.set(key, speaks)
}

export function noteClosed({ endpoints, speech }: Noted, key: ListenerKey): void {
  endpoints.delete(key)
  speech.delete(key)
}
