// Workers that a test program kills, and which failed requests that explains: those, and no others, on connections that the
// kernel says the worker had. It is stopped first, so that it can take no connection between the look and its end.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Failure } from '../load/outcome.ts'
import { isAlive, sendIfAlive, stateOf } from '../processes.ts'
import { until } from '../until.ts'

export interface Victim {
  readonly pid: number
  /** Milliseconds since the epoch, as the load client's. */
  readonly from: number
  /** The clients' ports of its connections. */
  readonly ports: ReadonlySet<number>
  /** Its private endpoints. */
  readonly endpoints: readonly string[]
  /** Requests that other workers had forwarded to it: the most connections that its endpoints had, taken or waiting. */
  forwarded: number
  /** When it was found to be gone. */
  until: number
}

/** What the load client calls a request that its server's end has cut. */
const CUT: ReadonlySet<string> = new Set(['reset', 'emptyReply', 'truncated', 'pipelineCut'])
/** What a worker answers for one that it had forwarded to it. */
const CUT_BEHIND: ReadonlySet<string> = new Set(['unexpectedStatus', 'truncated'])
/** Clients whose requests may have come while /proc was read. */
const UNSEEN = 5
/** A client that is short of CPU hears of the end later. */
const HEARD_WITHIN_MS = 3_000

/** Stops it; null when there is no such process any more. */
export async function stopWorker(pid: number, port: number): Promise<Victim | null> {
  const from = Date.now()
  if (!sendIfAlive(pid, 'SIGSTOP')) return null
  await until(() => !isAlive(pid) || stateOf(pid) === 'T', 5_000, `${pid} is stopped`)
  const sockets = socketsOf(pid)
  const endpoints = endpointsOf(sockets)
  const ports = clientPorts(sockets, port)
  return { pid, from, ports, endpoints, forwarded: connectionsTo(endpoints), until: Infinity }
}

/** Resolves when it is gone. */
export async function killWorker(pid: number, port: number): Promise<Victim | null> {
  const victim = await stopWorker(pid, port)
  // Others forward to it as long as it seems to live.
  if (victim !== null) count(victim)
  sendIfAlive(pid, 'SIGKILL')
  if (victim !== null) await untilGone(victim)
  return victim
}

export async function untilGone(victim: Victim, deadlineMs = 5_000): Promise<void> {
  const isGone = (): boolean => {
    count(victim)
    return !isAlive(victim.pid) && threadsLeft(victim.pid) <= 1
  }
  await until(isGone, deadlineMs, `worker ${victim.pid} is gone`)
  victim.until = Date.now()
}

/** The failures that no victim explains. */
export function unexplained(failures: readonly Failure[], victims: readonly Victim[]): readonly Failure[] {
  const left = failures.filter((failure) => !victims.some((victim) => isCutBy(victim, failure)))
  const budgets = victims.map((victim) => new Budget(victim)).toSorted((a, b) => a.victim.until - b.victim.until)
  const cutBehind = left.filter(({ kind }) => CUT_BEHIND.has(kind)).toSorted((a, b) => a.at - b.at)
  // One after the other to the victim whose time is over first, so that none takes what another needs.
  const explained = new Set(cutBehind.filter((failure) => budgets.some((budget) => budget.pays(failure))))
  return left.filter((failure) => !explained.has(failure))
}

/** Requests that others had forwarded to one victim: each client has a connection of its own to it. */
class Budget {
  readonly victim: Victim
  readonly #most: number
  readonly #clients = new Set<number | null>()

  constructor(victim: Victim) {
    this.victim = victim
    this.#most = victim.endpoints.length > 0 ? victim.forwarded + UNSEEN : 0
  }

  pays(failure: Failure): boolean {
    if (!isInTime(this.victim, failure)) return false
    if (!this.#clients.has(failure.localPort) && this.#clients.size >= this.#most) return false
    this.#clients.add(failure.localPort)
    return true
  }
}

function isCutBy(victim: Victim, { kind, localPort, at }: Failure): boolean {
  return CUT.has(kind) && localPort !== null && victim.ports.has(localPort) && isInTime(victim, { at })
}

function isInTime(victim: Victim, { at }: Pick<Failure, 'at'>): boolean {
  return at >= victim.from - 5 && at <= victim.until + HEARD_WITHIN_MS
}

/** Inodes of its sockets. */
function socketsOf(pid: number): ReadonlySet<string> {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOrEmpty(`/proc/${pid}/fd/${fd}`))
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  } catch {
    return new Set()
  }
}

const LISTENING = '0A'

function clientPorts(sockets: ReadonlySet<string>, port: number): ReadonlySet<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const ports = ['tcp', 'tcp6'].flatMap((table) =>
    linesOf(`/proc/net/${table}`).flatMap((line) => {
      const [, here = '', there = '', state, , , , , , inode = ''] = line.trim().split(/\s+/)
      const isOurs = here.endsWith(local) && state !== LISTENING && sockets.has(inode)
      return isOurs ? [Number.parseInt(there.split(':')[1] ?? '', 16)] : []
    }),
  )
  return new Set(ports)
}

/** A process may be a zombie while a thread of it has its sockets still. */
function threadsLeft(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length
  } catch {
    return 0
  }
}

function count(victim: Victim): void {
  victim.forwarded = Math.max(victim.forwarded, connectionsTo(victim.endpoints))
}

/** Taken, and in the queue. */
const CONNECTED: ReadonlySet<string | undefined> = new Set(['03', '02'])

function endpointsOf(sockets: ReadonlySet<string>): readonly string[] {
  return unixSockets().flatMap(({ inode, path }) => (sockets.has(inode) && path.includes('/endpoints/') ? [path] : []))
}

function connectionsTo(endpoints: readonly string[]): number {
  return unixSockets().filter(({ state, path }) => CONNECTED.has(state) && endpoints.includes(path)).length
}

function unixSockets() {
  return linesOf('/proc/net/unix').map((line) => {
    const [, , , , , state, inode = '', path = ''] = line.trim().split(/\s+/)
    return { state, inode, path }
  })
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').trim().split('\n').slice(1)
}

function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
