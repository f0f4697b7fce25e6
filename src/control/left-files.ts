// What processes that are dead left in the instance's directory. Which files those may be is looked up before anything is
// forked, and removed when it is known who lives.

import { readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { heldOutputs } from '../telemetry/held-outputs.ts'
import type { InstanceDirectory } from './instance-directory.ts'

/** Private endpoints and outputs are named after an incarnation. */
const OF_WORKER = /^(.+?)(-\d+\.sock|\.out|\.err)$/
/** What a supervisor makes under another name first. */
const HALF_MADE = /^(state\.json\.\d+\.tmp|(link\.sock|supervisor\.json)\.\d+)$/

/** Call it with the lock held, and before this process makes any such file. */
export function findLeftFiles({ path, endpoints, output }: InstanceDirectory): readonly string[] {
  return [...filesIn(path, HALF_MADE), ...filesIn(endpoints, OF_WORKER), ...filesIn(output, OF_WORKER)]
}

/** Removes those that belong to no incarnation that is known, or that a process holds. */
export function sweep(files: readonly string[], known: Iterable<string>, { output }: InstanceDirectory): void {
  const living = new Set([...known, ...heldOutputs(output)])
  for (const file of files) {
    const incarnation = OF_WORKER.exec(basename(file))?.[1]
    if (incarnation === undefined || !living.has(incarnation)) rmSync(file, { force: true })
  }
}

/** Nothing of ours lives any more, so nothing is left that a next start could adopt. */
export function removeTraces({ path }: InstanceDirectory): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // Emptied; the directory itself is the service manager's.
  }
}

function filesIn(folder: string, pattern: RegExp): string[] {
  const names = readdirSync(folder).filter((name) => pattern.test(name))
  return names.map((name) => join(folder, name))
}
