// Shows a result on the terminal and exits: with 1 when a measure could not be taken, since its figures are missing then.

import type { Result } from './result.ts'
import { renderConditions, renderFailures, renderNotes, renderTable } from './table.ts'

/** Exits at once: after a stop a measure may still be under way, whose processes have been ended. */
export function printResult(result: Result, file: string): never {
  const parts = [renderTable(result.measures, 'terminal'), renderNotes(result.measures), renderConditions(result)]
  process.stdout.write(`\n${parts.join('\n\n')}\n\nWritten to ${file}\n`)
  const failures = renderFailures(result.measures)
  if (failures === '') process.exit(0)
  process.stderr.write(`\nNot measured:\n${failures}\n`)
  process.exit(1)
}
