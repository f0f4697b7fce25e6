// What a process is doing that does not answer, from /proc as far as that can be read, in words for its crash record.

import { readFile, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long the process is watched to see whether it uses the CPU. */
const WATCH_MS = 100

/**
 * Completes "it was …": `stopped (SIGSTOP)`, `busy (100 % of a CPU)`, `waiting in write to its stdout`. Null where there
 * is no /proc. Takes 0.1 s.
 */
export async function diagnose(pid: number): Promise<string | null> {
  const before = await readStat(pid)
  if (before === null) return null
  const settled = settledWords(before.state)
  if (settled !== null) return settled
  await sleep(WATCH_MS)
  const after = await readStat(pid)
  if (after === null) return 'gone'
  const busy = (after.cpuTicks - before.cpuTicks) * TICK_MS
  if (busy >= WATCH_MS / 2) return `busy (${Math.min(Math.round((busy / WATCH_MS) * 100), 100)} % of a CPU)`
  return settledWords(after.state) ?? (await waitWords(pid, after.state))
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10

interface Stat {
  readonly state: string
  /** CPU time of the main thread, in ticks. */
  readonly cpuTicks: number
}

/** Of the main thread, not of the whole process: a busy thread pool says nothing about the event loop. */
async function readStat(pid: number): Promise<Stat | null> {
  const text = await readProc(pid, `task/${pid}/stat`)
  if (text === null) return null
  // The name in parentheses may contain anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '?', cpuTicks: Number(fields[11]) + Number(fields[12]) }
}

async function readProc(pid: number, name: string): Promise<string | null> {
  try {
    return (await readFile(`/proc/${pid}/${name}`, 'utf8')).trim()
  } catch {
    return null
  }
}

function settledWords(state: string): string | null {
  switch (state) {
    case 'T':
      return 'stopped (SIGSTOP)'
    case 't':
      return 'stopped by a debugger'
    case 'Z':
    case 'X':
      return 'dead already'
    default:
      return null
  }
}

async function waitWords(pid: number, state: string): Promise<string> {
  const call = await systemCall(pid)
  const where = call === null ? await readProc(pid, 'wchan') : null
  const place = call ?? (where !== null && where !== '' && where !== '0' ? `the kernel (${where})` : null)
  if (state === 'D') return `waiting for a disk or another device${place === null ? '' : ` in ${place}`}`
  return place === null ? 'waiting for something' : `waiting in ${place}`
}

/** Names of the calls in which a main thread is found to hang, by number. */
const CALLS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  x64: {
    0: 'read',
    1: 'write',
    7: 'poll',
    17: 'pread',
    18: 'pwrite',
    20: 'writev',
    35: 'sleep',
    42: 'connect',
    45: 'recvfrom',
    47: 'recvmsg',
    61: 'wait4',
    72: 'fcntl',
    73: 'flock',
    74: 'fsync',
    75: 'fdatasync',
    202: 'futex',
    230: 'sleep',
    232: 'epoll',
    257: 'open',
    271: 'poll',
    281: 'epoll',
  },
  arm64: {
    22: 'epoll',
    25: 'fcntl',
    32: 'flock',
    56: 'open',
    63: 'read',
    64: 'write',
    66: 'writev',
    67: 'pread',
    68: 'pwrite',
    73: 'poll',
    82: 'fsync',
    83: 'fdatasync',
    98: 'futex',
    115: 'sleep',
    203: 'connect',
    207: 'recvfrom',
    212: 'recvmsg',
    260: 'wait4',
  },
}

const ON_DESCRIPTOR: ReadonlySet<string> = new Set(['read', 'write', 'pread', 'pwrite', 'writev', 'connect'])

const CALL_WORDS: Readonly<Record<string, string>> = {
  futex: 'a lock (Atomics.wait, or a native lock)',
  epoll: 'an event loop (the main one, or that of execSync)',
  poll: 'an event loop (the main one, or that of execSync)',
  wait4: 'wait for a child process',
  fcntl: 'a file lock (fcntl)',
  flock: 'a file lock (flock)',
}

/** The call and what it is on; null when the kernel does not let us see it. */
async function systemCall(pid: number): Promise<string | null> {
  const [number = '', descriptor = ''] = (await readProc(pid, 'syscall'))?.split(' ') ?? []
  const name = CALLS[process.arch]?.[Number(number)]
  if (number === '' || name === undefined) return null
  if (!ON_DESCRIPTOR.has(name)) return CALL_WORDS[name] ?? name
  return `${name} ${name === 'write' || name === 'writev' ? 'to' : 'on'} ${await descriptorWords(pid, Number(descriptor))}`
}

async function descriptorWords(pid: number, descriptor: number): Promise<string> {
  const name = ['its stdin', 'its stdout', 'its stderr'][descriptor]
  if (name !== undefined) return name
  try {
    return await readlink(`/proc/${pid}/fd/${descriptor}`)
  } catch {
    return `descriptor ${descriptor}`
  }
}
