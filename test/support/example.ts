// An example of examples/ in a place of its own, as somebody who copies it has it.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './home.ts'
import { ROOT } from './releases.ts'

/** Answers the copy's directory. */
export function copyExample(name: string, home: Home): string {
  const copy = join(home.work, name)
  cpSync(join(ROOT, 'examples', name), copy, { recursive: true })
  return copy
}
