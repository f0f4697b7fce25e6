// Upgrades and CONNECT of the other group: the head once more, then bytes both ways until either side ends.

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { pairsOf } from './forward-headers.ts'
import { HOP, hopOf } from './hop-header.ts'
import { figures } from './route-state.ts'
import { connectTo, nextPeer } from './upstream.ts'

export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly client: Socket
  /** What came behind the request's head. */
  readonly head: Buffer
  readonly peers: readonly string[]
  /** Gives the request to this worker's app. */
  runHere(): void
}

export function forwardUpgrade(upgrade: UpgradeRequest): void {
  figures.forwarded++
  // Until the other side is there, nobody else listens for its errors.
  upgrade.client.on('error', ignore)
  tryPeer(upgrade, new Set())
}

/** Nothing is sent before a peer is there, so that any of them can be the next one. */
function tryPeer(upgrade: UpgradeRequest, tried: Set<string>): void {
  const { client, peers, runHere } = upgrade
  if (client.destroyed) return
  const peer = nextPeer(peers, tried)
  if (peer === null) {
    client.off('error', ignore)
    return runHere()
  }
  const upstream = connectTo(peer, client)
  const next = () => {
    figures.forwardRetries++
    tryPeer(upgrade, tried.add(peer))
  }
  upstream.once('error', next)
  upstream.once('connect', () => {
    upstream.off('error', next)
    splice(upgrade, upstream)
  })
}

function splice({ request, client, head }: UpgradeRequest, upstream: Socket): void {
  upstream.write(headOf(request), 'latin1')
  if (head.length > 0) upstream.write(head)
  client.setTimeout(0)
  client.pipe(upstream)
  upstream.pipe(client)
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('error', () => other.destroy())
    one.once('close', () => endSoon(other))
  }
}

/** What was written still gets through. */
function endSoon(socket: Socket): void {
  if (socket.writableEnded) socket.destroySoon()
  else socket.end(() => socket.destroy())
}

function headOf(request: IncomingMessage): string {
  const lines = [...pairsOf(request.rawHeaders), [HOP, hopOf(request, true)]].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `${request.method} ${request.url} HTTP/1.1\r\n${lines.join('')}\r\n`
}

function ignore(): void {}
