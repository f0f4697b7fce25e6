// Waiting for an app to answer. It looks every millisecond or two, since what is waited for here is also what is timed.

import { setTimeout as pause } from 'node:timers/promises'
import { ask } from './ask.ts'

const LOOK_EVERY_MS = 2

/** Resolves with the time of the first answer; throws when none comes before the deadline, or when `gaveUp` says why. */
export async function firstAnswer(port: number, deadlineMs: number, gaveUp: () => string | null): Promise<number> {
  const end = performance.now() + deadlineMs
  while (performance.now() < end) {
    const why = gaveUp()
    if (why !== null) throw new Error(`No answer from port ${port}: ${why}`)
    if (await answers(port)) return performance.now()
    await pause(LOOK_EVERY_MS)
  }
  throw new Error(`No answer from port ${port} within ${deadlineMs} ms: ${gaveUp() ?? 'its process still runs'}`)
}

/**
 * Asks until `isEnough` of the pids that answered; resolves with the time. It goes on asking while earlier requests wait:
 * one that was given to a process that is just dying may never be answered.
 */
export async function answersFrom(
  port: number,
  isEnough: (pids: ReadonlySet<number>) => boolean,
  deadlineMs: number,
): Promise<number> {
  const pids = new Set<number>()
  const over = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const note = (pid: number) => {
    pids.add(pid)
    if (isEnough(pids)) resolve(performance.now())
  }
  const look = setInterval(() => void ask(port, '/', over.signal).then(note, () => {}), LOOK_EVERY_MS)
  const deadline = setTimeout(() => {
    reject(new Error(`Not within ${deadlineMs} ms: only ${[...pids].join(', ')} answered on port ${port}`))
  }, deadlineMs)
  try {
    return await promise
  } finally {
    clearInterval(look)
    clearTimeout(deadline)
    over.abort()
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await ask(port)) > 0
  } catch {
    return false
  }
}
