// What is left of a supervisor that was started in a terminal, a script or a container, when another one is in charge:
// whoever started it waits for this very process. It passes signals on, and ends as the last supervisor does.

import { createInterface } from 'node:readline'
import { EXIT } from '../errors.ts'
import type { SignalDesk } from './signal-desk.ts'
import type { Successor } from './successor.ts'

/** Of a supervisor that was killed: nobody heard a word of its end. */
const KILLED = 137

/** Never resolves: the process ends with the supervisor that it stands in for, and at once where nobody waits for it. */
export async function standIn(
  { standIn: words, pid }: Pick<Successor, 'standIn' | 'pid'>,
  signals: SignalDesk,
): Promise<never> {
  if (words === null) process.exit(EXIT.ok)
  process.exit(await exitCodeOfLast(createInterface({ input: words }), pid, (next) => signals.passOnTo(next)))
}

/**
 * Hears `pid <pid>` of each supervisor that takes over, and `exit <code> <pid>` of each process that was to be one. Only the
 * end of the one in charge counts: one that is followed in its turn ends well, and one that failed to follow does not matter.
 */
export async function exitCodeOfLast(
  words: AsyncIterable<string>,
  first: number,
  follow: (pid: number) => void,
): Promise<number> {
  let inCharge = first
  let exitCode = KILLED
  for await (const line of words) {
    const [word, ...numbers] = line.split(' ')
    const [number = 0, pid] = numbers.map(Number)
    if (word === 'pid') follow((inCharge = number))
    if (word === 'exit' && pid === inCharge) exitCode = number
  }
  return exitCode
}
