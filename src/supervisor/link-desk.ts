// Where workers dial in: the first line says who it is, and the rest of the connection is that worker's.

import { listen, probeLinkInternals, type ChannelServer } from '../protocol/channel.ts'
import {
  isSpoken,
  OLDEST_PROTOCOL,
  PROTOCOL_VERSION,
  type SupervisorMessage,
  type WorkerMessage,
} from '../protocol/messages.ts'
import type { WorkerChannel } from './worker-handle.ts'

export type Hello = Extract<WorkerMessage, { type: 'hello' }>

/** Takes the worker's connection, or says no by returning false. */
export type Receive = (hello: Hello, channel: WorkerChannel) => boolean

/** What this Node lacks that the link needs; null when nothing is missing. */
export const missingForLink = probeLinkInternals

/** The newest that is spoken, and the oldest. */
export const linkVersions = { newest: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL } as const

/** Why workers cannot be handed from one supervisor to another here; null when they can. */
export function whyNoLink(): string | null {
  const missing = missingForLink()
  return missing === null
    ? null
    : `Node ${process.version} lacks ${missing}, without which workers cannot be handed over`
}

/**
 * `notice` is told when this Node lacks what the link needs: workers are then spoken to over node:cluster's own channel,
 * which ends with the supervisor.
 */
export function openLinkDesk(path: string, receive: Receive, notice: (text: string) => void): ChannelServer {
  const missing = probeLinkInternals()
  if (missing !== null) {
    notice(`Node ${process.version} lacks ${missing}: workers cannot be adopted by another supervisor`)
    return { close: () => {} }
  }
  return listen<WorkerMessage, SupervisorMessage>(path, (channel) => awaitHello(channel, receive))
}

/** Hands a connection over as soon as it has said whose it is. */
export function awaitHello(channel: WorkerChannel, receive: Receive): void {
  channel.onMessage = (message, handle) => {
    handle?.close()
    const isWelcome = message.type === 'hello' && isSpoken(message) && receive(message, channel)
    if (!isWelcome) channel.close()
  }
  channel.onEnd = () => undefined
}
