// Asks another installation whether it could take over, by starting it for that alone: nothing is touched.

import { spawn, type ChildProcess } from 'node:child_process'
import { messageOf } from '../config/failure.ts'
import { upgradeRefused } from '../errors/upgrade.ts'
import type { UpgradeRequest } from './messages.ts'
import { HAND_OVER, type UpgradeCheck, type Versions } from './upgrade-messages.ts'
import { placeToBegin } from './successor.ts'

const DEADLINE_MS = 10_000
const MOST_CHARACTERS = 64 * 1024
const SHOWN_LINES = 15

interface Ended {
  readonly how: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Rejects with why it could not. */
export async function checkSuccessor(
  { node, launcher }: Pick<UpgradeRequest, 'node' | 'launcher'>,
  instance: string,
  protocol: number,
): Promise<UpgradeCheck> {
  const { how, stdout, stderr } = await run(node, [...process.execArgv, launcher, 'take-over', instance, '--check'])
  const said = stderr.split('\n').filter(Boolean).slice(-SHOWN_LINES)
  if (how !== null) throw upgradeRefused(instance, `the new one does not start: ${how}`, said)
  const check = parse(stdout)
  if (check === null) throw upgradeRefused(instance, 'the new one does not say what it is', said)
  const [problem, ...others] = [...check.problems, ...strangeVersions(check, protocol)]
  if (problem !== undefined)
    throw upgradeRefused(instance, `version ${check.version} cannot take over: ${problem}`, others)
  return check
}

function strangeVersions({ handOver, protocol }: UpgradeCheck, spoken: number): readonly string[] {
  return [
    ...(overlap(handOver, HAND_OVER)
      ? []
      : ['the two do not know the same way to hand over; upgrade by a version between']),
    ...(spoken >= protocol.oldest && spoken <= protocol.newest + 1
      ? []
      : ['it does not speak the language of the workers that run; upgrade by a version between']),
  ]
}

function overlap(one: Versions, other: Versions): boolean {
  return one.oldest <= other.newest && other.oldest <= one.newest
}

function begin(node: string, words: readonly string[]): ChildProcess | string {
  try {
    return spawn(node, [...words], { cwd: placeToBegin(), stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    return messageOf(error)
  }
}

async function run(node: string, words: readonly string[]): Promise<Ended> {
  const child = begin(node, words)
  let [stdout, stderr] = ['', '']
  if (typeof child === 'string') return { how: child, stdout, stderr }
  // Where no descriptor is left there are none, and an event tells why.
  child.stdout?.on('data', (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(-MOST_CHARACTERS)))
  child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-MOST_CHARACTERS)))
  return new Promise((resolve) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, DEADLINE_MS)
    const end = (how: string | null): void => {
      clearTimeout(timer)
      resolve({ how, stdout, stderr })
    }
    child.once('error', (error) => end(error.message))
    child.once('close', (code, signal) => {
      if (isLate) end(`it has not answered within ${DEADLINE_MS / 1000} s`)
      else end(signal !== null ? `it was ended by ${signal}` : code === 0 ? null : `it exited with code ${code}`)
    })
  })
}

/** Of a version that we do not know: what is missing makes it none. */
function parse(text: string): UpgradeCheck | null {
  try {
    const value = JSON.parse(text) as UpgradeCheck
    const isWhole = typeof value.version === 'string' && Array.isArray(value.problems) && Array.isArray(value.configs)
    return isWhole && typeof value.handOver.newest === 'number' && typeof value.protocol.newest === 'number'
      ? value
      : null
  } catch {
    return null
  }
}
