// Who listens on a port, as far as /proc tells this user. Only for words: nothing is decided by it.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { SocketAddress } from 'node:net'
import { endianness } from 'node:os'

export interface PortOwner {
  readonly pid: number
  readonly command: string
}

interface ListeningSocket {
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** `TCP_LISTEN` in /proc/net/tcp. */
const LISTEN = '0A'
const MAX_COMMAND_LENGTH = 100
const WILDCARDS = new Set(['0.0.0.0', '::'])

/** The process that listens on `port` at `address` (null is any); null when there is none or it may not be known. */
export function findPortOwner(address: string | null, port: number): PortOwner | null {
  const inodes = new Set(
    listeningSockets(port)
      .filter((socket) => meets(socket.address, address))
      .map(({ inode }) => inode),
  )
  return inodes.size === 0 ? null : ownerOf(inodes)
}

/**
 * How many sockets listen on `port` that are not among `own` (inodes). Another program of the same user that sets
 * SO_REUSEPORT gets a share of our connections without an error on either side; this is how it is noticed.
 */
export function countStrangers(address: string | null, port: number, own: ReadonlySet<string>): number {
  return listeningSockets(port).filter((socket) => meets(socket.address, address) && !own.has(socket.inode)).length
}

/** The inode of a socket of this process. */
export function inodeOfDescriptor(fd: number): string | null {
  return inodeBehind(`/proc/self/fd/${fd}`)
}

function listeningSockets(port: number): ListeningSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    linesOf(table)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN)
      .map((fields) => {
        const [address = '', hexPort = ''] = (fields[1] ?? '').split(':')
        return { address: decodeAddress(address), port: Number.parseInt(hexPort, 16), inode: fields[9] ?? '' }
      })
      .filter((socket) => socket.port === port),
  )
}

/** The kernel prints each 32-bit word as a number in the machine's own byte order. */
function decodeAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return normalized(groups.join(':'))
}

function normalized(address: string): string {
  try {
    return new SocketAddress({ address, family: address.includes(':') ? 'ipv6' : 'ipv4' }).address
  } catch {
    return address
  }
}

function meets(bound: string, wanted: string | null): boolean {
  return wanted === null || WILDCARDS.has(bound) || WILDCARDS.has(wanted) || bound === normalized(wanted)
}

/** This process, or else the oldest of its owners: a server's parent rather than its children. */
function ownerOf(inodes: ReadonlySet<string>): PortOwner | null {
  const pids = entriesOf('/proc').map(Number).filter(Number.isInteger)
  for (const pid of [process.pid, ...pids.toSorted((a, b) => a - b)]) {
    const isOwner = entriesOf(`/proc/${pid}/fd`).some((fd) => {
      const inode = inodeBehind(`/proc/${pid}/fd/${fd}`)
      return inode !== null && inodes.has(inode)
    })
    if (isOwner) return { pid, command: commandOf(pid) }
  }
  return null
}

function commandOf(pid: number): string {
  const command = (linesOf(`/proc/${pid}/cmdline`)[0] ?? '').replaceAll('\0', ' ').trim()
  return command.length > MAX_COMMAND_LENGTH ? `${command.slice(0, MAX_COMMAND_LENGTH - 1)}…` : command
}

function inodeBehind(link: string): string | null {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? null
  } catch {
    return null
  }
}

// Processes end while they are looked at, and those of others may not be: both are as if they were not there.

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}
