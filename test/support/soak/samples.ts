// What an instance uses, looked at again and again: memory, descriptors, processes and files must be as at the beginning
// after any number of deaths.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, pss, stateOf } from '../processes.ts'
import type { Scene } from '../matrix/scene.ts'

export interface Sample {
  readonly atSeconds: number
  readonly processes: number
  readonly zombies: number
  readonly supervisorMb: number
  /** Of all processes of the instance. */
  readonly allMb: number
  readonly supervisorDescriptors: number
  readonly workerDescriptors: number
  /** In the runtime directory, and in TMPDIR. */
  readonly files: number
  /** What is kept across a reboot: events, releases, crashes. */
  readonly stateMb: number
}

export type Measured = Exclude<keyof Sample, 'atSeconds'>

const MB = 1024 * 1024

/** Null while something is under way that ends by itself: it is looked at again soon. */
export async function takeSample(scene: Scene, atSeconds: number): Promise<Sample | null> {
  try {
    const status = await scene.untilAtRest(5_000)
    const processes = scene.home.processes()
    const { supervisor, worker } = await scene.descriptors()
    return {
      atSeconds,
      processes: processes.length,
      zombies: [status.pid, ...processes].flatMap(childrenOf).filter((pid) => stateOf(pid) === 'Z').length,
      supervisorMb: pss(status.pid) / MB,
      allMb: processes.reduce((sum, pid) => sum + pss(pid), 0) / MB,
      supervisorDescriptors: supervisor,
      workerDescriptors: worker,
      files: filesIn(scene.home.runtime).length + filesIn(join(scene.home.directory, 'tmp')).length,
      stateMb: bytesIn(join(scene.home.directory, 'state')) / MB,
    }
  } catch {
    return null
  }
}

/** Medians of the first third and of the last. */
export function thirds(samples: readonly Sample[], what: Measured): { readonly first: number; readonly last: number } {
  const third = Math.max(1, Math.floor(samples.length / 3))
  const median = (part: readonly Sample[]): number => {
    const values = part.map((sample) => sample[what]).toSorted((a, b) => a - b)
    return values[Math.floor(values.length / 2)] ?? Number.NaN
  }
  return { first: median(samples.slice(0, third)), last: median(samples.slice(-third)) }
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
}

function bytesIn(directory: string): number {
  const paths = filesIn(directory).map((file) => join(directory, file))
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
}
