// Who listens on which port, as far as /proc tells this user.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { SocketAddress } from 'node:net'
import { endianness } from 'node:os'
import { allPids, readProcessStat } from '../config/process-stat.ts'

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

/** TCP ports on which processes of this session listen. */
export function portsOpenedIn(session: number): readonly number[] {
  const pids = allPids().filter((pid) => readProcessStat(pid)?.field(6) === String(session))
  const open = new Set(pids.flatMap(socketsOf))
  const ports = listeningSockets(null).flatMap(({ inode, port }) => (open.has(inode) ? [port] : []))
  return [...new Set(ports)].toSorted((a, b) => a - b)
}

/** Null is any port. */
function listeningSockets(port: number | null): ListeningSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    linesOf(table)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN)
      .map((fields) => {
        const [address = '', hexPort = ''] = (fields[1] ?? '').split(':')
        return { address: decodeAddress(address), port: Number.parseInt(hexPort, 16), inode: fields[9] ?? '' }
      })
      .filter((socket) => port === null || socket.port === port),
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
  for (const pid of [process.pid, ...allPids().toSorted((a, b) => a - b)]) {
    if (socketsOf(pid).some((inode) => inodes.has(inode))) return { pid, command: commandOf(pid) }
  }
  return null
}

/** Inodes of the sockets that it has open. */
function socketsOf(pid: number): readonly string[] {
  return entriesOf(`/proc/${pid}/fd`).flatMap((fd) => inodeBehind(`/proc/${pid}/fd/${fd}`) ?? [])
}

function commandOf(pid: number): string {
  return (linesOf(`/proc/${pid}/cmdline`)[0] ?? '').replaceAll('\0', ' ').trim()
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
