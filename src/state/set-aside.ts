// What stands in the place of a file of ours and cannot be used is kept: whoever can read it may want what is in it.

import { existsSync, renameSync } from 'node:fs'

/** Under a name that nothing has yet: what was kept earlier is not lost either. */
export function setAside(file: string): void {
  let kept = `${file}.unusable`
  for (let count = 2; existsSync(kept); count += 1) kept = `${file}.unusable.${count}`
  renameSync(file, kept)
}
