// Follows a feed of an instance for good: one that ended, in whatever way, begins again a moment later.

import type { InstanceClient } from '../control/client.ts'

export interface Following<Item> {
  readonly path: string
  readonly signal: AbortSignal
  /** How many of the past to begin with, and how many to begin again with. */
  readonly lines: { readonly first: number; readonly again: number }
  readonly pauseMs: number
  take(item: Item): void
}

/** Resolves once it is aborted. A supervisor that is replaced ends its feeds well, one that dies breaks them. */
export async function keepFollowing<Item>(
  client: Pick<InstanceClient, 'stream'>,
  following: Following<Item>,
): Promise<void> {
  const { path, signal, lines, pauseMs, take } = following
  let wanted = lines.first
  while (!signal.aborted) {
    try {
      const options = { query: { follow: true, lines: wanted }, signal }
      for await (const item of client.stream<Item>('GET', path, options)) {
        take(item)
        wanted = lines.again
      }
    } catch {
      // Somebody else says what is wrong with a supervisor that does not answer.
    }
    await pause(pauseMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref()
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
