// What is left of a supervisor that was started in a terminal, a script or a container, when another one is in charge:
// whoever started it waits for this very process. It passes signals on, and ends as the last supervisor does.

import { createInterface } from 'node:readline'
import { EXIT } from '../errors.ts'
import type { SignalDesk } from './signal-desk.ts'
import type { Successor } from './successor.ts'

/** Of a supervisor that was killed: nobody heard a word of its end. */
const KILLED = 137

/** Never resolves: the process ends with the supervisor that it stands in for, and at once where nobody waits for it. */
export async function standIn({ standIn: words }: Pick<Successor, 'standIn'>, signals: SignalDesk): Promise<never> {
  if (words === null) process.exit(EXIT.ok)
  let exitCode = KILLED
  for await (const line of createInterface({ input: words })) {
    const [word, number] = line.split(' ')
    // The next one, or the one after it.
    if (word === 'pid') signals.passOnTo(Number(number))
    if (word === 'exit') exitCode = Number(number)
  }
  process.exit(exitCode)
}
