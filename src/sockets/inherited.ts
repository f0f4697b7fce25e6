// Sockets that somebody else bound and will close, such as systemd for a `.socket` unit: a listener is made of those that
// have the address that an app asks for, and they are there for the next one when it is closed.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SocketHandle } from '../protocol/handle.ts'
import type { ListenerKey, ListenRequest, SocketName } from '../protocol/messages.ts'
import { listenerFromHandles, type Listener } from './listener.ts'
import { inodeOfDescriptor } from './port-owner.ts'
import { nameOf, openDescriptor } from './server-handle.ts'

export interface PassedSocket {
  readonly fd: number
  readonly name: string
}

/** Sockets with one address: the slots of one listener. */
interface Group {
  readonly name: string
  readonly address: SocketAddressName
  readonly handles: SocketHandle[]
  isTaken: boolean
}

/** Where a socket is bound: a port of an address, or a path. */
export type SocketAddressName =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export class InheritedSockets {
  /** Descriptors that are no sockets to listen on, for people. */
  readonly problems: readonly string[]
  readonly #groups: readonly Group[]

  constructor(sockets: readonly PassedSocket[]) {
    const problems: string[] = []
    const groups = new Map<string, Group>()
    for (const socket of sockets) {
      const opened = open(socket)
      if (typeof opened === 'string') {
        problems.push(opened)
        continue
      }
      const key = addressText(opened.address)
      const group = groups.get(key) ?? { name: socket.name, address: opened.address, handles: [], isTaken: false }
      group.handles.push(opened.handle)
      groups.set(key, group)
    }
    this.problems = problems
    this.#groups = [...groups.values()]
  }

  /** The listener for this request; null when no socket with its address was passed, or another listener has it. */
  take(key: ListenerKey, request: ListenRequest): Listener | null {
    const group = this.#groups.find(({ address, isTaken }) => !isTaken && suits(request, address))
    if (group === undefined) return null
    group.isTaken = true
    return listenerFromHandles(key, request, group.handles, () => {
      group.isTaken = false
    })
  }

  /** Those that no app listens on, as `name (address)`. */
  unused(): readonly string[] {
    return this.#groups
      .filter(({ isTaken }) => !isTaken)
      .map(({ name, address }) => `${addressText(address)} (${name})`)
  }
}

/** Whether clients of `bound` are those whom `request` wants: the same port, and an address that reaches no more. */
export function suits(request: ListenRequest, bound: SocketAddressName): boolean {
  if (request.addressType === -1)
    return bound.kind === 'unix' && request.address !== null && resolve(request.address) === bound.path
  if (bound.kind !== 'tcp' || bound.port !== request.port) return false
  switch (request.address) {
    case null:
      return bound.address === '::' || bound.address === '0.0.0.0'
    case '0.0.0.0':
      // A dual-stack socket takes the clients of IPv4, too.
      return bound.address === '0.0.0.0' || bound.address === '::'
    default:
      return bound.address === request.address
  }
}

export function addressText(address: SocketAddressName): string {
  if (address.kind === 'unix') return address.path
  return address.address.includes(':') ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`
}

function open({ fd, name }: PassedSocket): { handle: SocketHandle; address: SocketAddressName } | string {
  const path = pathOfUnixSocket(fd)
  const handle = openDescriptor(fd)
  if (typeof handle === 'number') return `descriptor ${fd} (${name}) is no stream socket to listen on`
  if (path !== null) return { handle, address: { kind: 'unix', path } }
  const { address, port }: SocketName = nameOf(handle)
  if (address !== undefined && port !== undefined) return { handle, address: { kind: 'tcp', address, port } }
  handle.close()
  return `descriptor ${fd} (${name}) is no TCP socket and no Unix socket with a path`
}

/** Handles of Unix sockets do not know their name; the kernel's table does. */
function pathOfUnixSocket(fd: number): string | null {
  const inode = inodeOfDescriptor(fd)
  if (inode === null) return null
  const line = unixSockets().find((fields) => fields[6] === inode)
  const path = line?.slice(7).join(' ') ?? ''
  return path.startsWith('/') ? path : null
}

function unixSockets(): readonly (readonly string[])[] {
  try {
    return readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.split(' ').filter((field) => field !== ''))
  } catch {
    return []
  }
}
