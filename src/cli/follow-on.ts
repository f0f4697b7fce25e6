// Following goes on where another supervisor takes over: its instance has the same socket, and it says so before it ends.

import { SuperviseError } from '../errors.ts'
import type { Output } from './output.ts'

export function isReplaced(error: unknown): boolean {
  return error instanceof SuperviseError && error.code === 'SUPERVISOR_REPLACED'
}

export function tellReplaced(output: Pick<Output, 'talk'>): void {
  output.talk('Another supervisor has taken over; following it.')
}

/** What `open` gives, opened again each time that another supervisor takes over; `tell` is told of each. */
export async function* followOn<Item>(open: () => AsyncIterable<Item>, tell: () => void): AsyncGenerator<Item> {
  for (;;) {
    try {
      yield* open()
      return
    } catch (error) {
      if (!isReplaced(error)) throw error
      tell()
    }
  }
}
