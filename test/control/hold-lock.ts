// Takes an instance's lock in a process of its own, says how that went, and holds it until stdin ends.

import { openInstanceDirectory } from '../../src/control/instance-directory.ts'
import { takeLock } from '../../src/control/instance-lock.ts'
import { SuperviseError } from '../../src/errors.ts'

try {
  const from = Number(process.env['HANDED_OVER_BY']) || null
  const { notices } = await takeLock(openInstanceDirectory('web'), 1_000, from)
  console.log(notices.length === 0 ? 'held' : 'held, with a notice')
  process.stdin.resume().on('end', () => process.exit())
} catch (error) {
  console.log(error instanceof SuperviseError ? JSON.stringify(error) : String(error))
}
