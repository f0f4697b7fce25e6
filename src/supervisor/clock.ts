// Time as the supervisor knows it: monotonic milliseconds, so that a wall clock that jumps decides nothing.

export interface Clock {
  now(): number
  /** Calls `wake` once, at `time` or soon after; the returned function cancels it. */
  wakeAt(time: number, wake: () => void): () => void
  /** While it is, no wake comes: they come when it goes on. */
  readonly isStopped?: boolean
}

/**
 * A wake that comes later than this was held up together with everything else: what waits in the sockets meanwhile, such
 * as the word that a worker is ready, is read first.
 */
export const STALL_MS = 250

/** Node takes a longer time for none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wakeAt(time, wake) {
    let late: NodeJS.Immediate | undefined
    let timer: NodeJS.Timeout | undefined
    const arm = (): void => {
      const remainingMs = Math.max(0, Math.ceil(time - performance.now()))
      timer = setTimeout(onTime, Math.min(remainingMs, LONGEST_TIMER_MS))
    }
    const onTime = (): void => {
      const lateMs = performance.now() - time
      // Node's timers count from when their turn of the loop began, and may be early by that; the longest are cut.
      if (lateMs < 0) return arm()
      if (lateMs < STALL_MS) return wake()
      late = setImmediate(wake)
    }
    arm()
    return () => {
      clearTimeout(timer)
      clearImmediate(late)
    }
  },
}

const LOOK_EVERY_MS = 20

/** Looks every 20 ms until it is so, or the time is over. */
export async function waitUntil(clock: Clock, withinMs: number, isSo: () => boolean): Promise<void> {
  const deadline = clock.now() + withinMs
  while (!isSo() && clock.now() < deadline) {
    await new Promise<void>((resolve) => clock.wakeAt(clock.now() + LOOK_EVERY_MS, resolve))
  }
}
