// Diagnostic reports and heap snapshots that Node writes at the end of a process: finds those of one, and keeps their
// number and size bounded. Their names are Node's own: `report.20261126.213415.4711.0.001.json`.

import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const NAME = /^(report|Heap)\.(\d{8}\.\d{6})\.(\d+)\.\d+\.\d+\.(?:json|heapsnapshot)$/

export interface DiagnosticFile {
  readonly name: string
  readonly bytes: number
}

export interface FileLimits {
  readonly reports: number
  readonly snapshots: number
  readonly bytes: number
}

export const FILE_LIMITS: FileLimits = { reports: 20, snapshots: 3, bytes: 2 * 1024 ** 3 }

/** Those to remove so that the limits hold: the oldest; the newest of all stays, however large it is. Pure. */
export function filesToDrop(files: readonly DiagnosticFile[], limits: FileLimits): readonly string[] {
  const newestFirst = files
    .flatMap((file) => {
      const [, kind, time] = NAME.exec(file.name) ?? []
      return kind === undefined || time === undefined ? [] : [{ ...file, kind, time }]
    })
    .toSorted((a, b) => b.time.localeCompare(a.time) || b.name.localeCompare(a.name))
  const seen = { report: 0, Heap: 0 }
  let bytes = 0
  return newestFirst.flatMap((file, index) => {
    const kind = file.kind === 'Heap' ? 'Heap' : 'report'
    const isOver = seen[kind] + 1 > (kind === 'Heap' ? limits.snapshots : limits.reports)
    const isStaying = index === 0 || (!isOver && bytes + file.bytes <= limits.bytes)
    if (!isStaying) return [file.name]
    seen[kind] += 1
    bytes += file.bytes
    return []
  })
}

/** A file's time is coarser than a start's, and a supervisor's idea of the wall clock may be a little off. */
const SLACK_MS = 1000

export class DiagnosticFiles {
  readonly directory: string
  /** Already told of: a pid may come again. */
  readonly #claimed = new Set<string>()

  constructor(directory: string) {
    this.directory = directory
  }

  /**
   * What the process that is gone has left; makes room for the next. `startedAt` by the wall clock: what is older is of
   * another process that had its pid, as it often is where a container begins anew on the same volume.
   */
  claim(pid: number, startedAt: number): { readonly report: string | null; readonly snapshots: readonly string[] } {
    const names = this.#names().filter(
      (name) =>
        Number(NAME.exec(name)?.[3]) === pid &&
        !this.#claimed.has(name) &&
        this.#writtenAt(name) >= startedAt - SLACK_MS,
    )
    for (const name of names) this.#claimed.add(name)
    this.prune()
    const paths = (kind: string) =>
      names.filter((name) => name.startsWith(kind)).map((name) => join(this.directory, name))
    return { report: paths('report').at(-1) ?? null, snapshots: paths('Heap') }
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.directory).toSorted()
    } catch {
      return []
    }
  }

  /** Removes what is over the limits. */
  prune(): void {
    const files = this.#names().map((name) => ({ name, bytes: this.#sizeOf(name) }))
    for (const name of filesToDrop(files, FILE_LIMITS)) {
      try {
        rmSync(join(this.directory, name), { force: true })
      } catch {
        // Somebody else's, and theirs to remove.
        continue
      }
      this.#claimed.delete(name)
    }
  }

  #writtenAt(name: string): number {
    return statSync(join(this.directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  }

  #sizeOf(name: string): number {
    return statSync(join(this.directory, name), { throwIfNoEntry: false })?.size ?? 0
  }
}
