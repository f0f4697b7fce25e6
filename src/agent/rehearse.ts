// A fault that somebody rehearses in this worker, as ordered by the supervisor: it is bounded in time here, too, so that it ends
// when nobody is left who could end it.

import { hostMs } from '../protocol/host-time.ts'
import type { FaultOrder } from '../protocol/messages.ts'

const BLOCK_BYTES = 8 * 1024 ** 2
const BLOCK_EVERY_MS = 20
/** Between two delays, so that the loop gets something done. */
const BREATH_MS = 5

let held: Buffer[] = []
let timer: NodeJS.Timeout | undefined

export function rehearse(order: FaultOrder): void {
  endRehearsal()
  if (order.fault === 'none') return
  const forMs = Math.min(order.forMs, (order.untilMs ?? Infinity) - hostMs())
  if (forMs <= 0) return
  const until = performance.now() + forMs
  switch (order.fault) {
    case 'hang':
      // In its own turn: what arrived together with the order is heard first.
      return later(0, () => block(Math.max(0, until - performance.now())))
    case 'delay':
      return delay(order.byMs, until)
    case 'memory':
      return fill(order.bytes, until)
  }
}

export function endRehearsal(): void {
  clearTimeout(timer)
  held = []
}

/** How many bytes are held. */
export function heldBytes(): number {
  return held.length * BLOCK_BYTES
}

function later(ms: number, act: () => void): void {
  timer = setTimeout(act, ms).unref()
}

/** Without use of the CPU, which is the neighbours'. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function delay(byMs: number, until: number): void {
  if (performance.now() >= until) return
  block(byMs)
  later(BREATH_MS, () => delay(byMs, until))
}

/** Block by block, each of them written to: what is only reserved is not in use. */
function fill(bytes: number, until: number): void {
  if (performance.now() >= until) return endRehearsal()
  if (heldBytes() >= bytes) return later(until - performance.now(), endRehearsal)
  held.push(Buffer.alloc(BLOCK_BYTES, 1))
  later(BLOCK_EVERY_MS, () => fill(bytes, until))
}
