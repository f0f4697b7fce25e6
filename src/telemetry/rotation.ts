// Which rotated files there are of a log file, what they are called, when a new one begins and which ones go: pure.

export interface RotationLimits {
  /** 0 is no limit, as for `maxTotalBytes`. */
  readonly maxSizeBytes: number
  /** 0 is never. */
  readonly everyMs: number
  readonly keep: number
  readonly maxTotalBytes: number
  readonly gzip: boolean
}

export interface RotatedFile {
  readonly name: string
  readonly bytes: number
}

/** `web.log.2026-11-26T21-30-00.123Z`, and `.gz` when it is compressed: by name they are in the order of their time. */
const STAMP = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z(?:\.gz)?$/

export function rotatedName(base: string, time: Date): string {
  return `${base}.${time.toISOString().replaceAll(':', '-')}`
}

export function isRotated(name: string, base: string): boolean {
  return name.startsWith(`${base}.`) && STAMP.test(name.slice(base.length + 1))
}

/** Oldest first. A file that is just being compressed is there twice; only the whole one counts. */
export function rotatedAmong(names: readonly string[], base: string): readonly string[] {
  const rotated = names.filter((name) => isRotated(name, base)).toSorted()
  const plain = new Set(rotated.filter((name) => !name.endsWith('.gz')))
  return rotated.filter((name) => !name.endsWith('.gz') || !plain.has(name.slice(0, -'.gz'.length)))
}

/** The files to remove: all but the newest `keep`, and of those the oldest ones when all together are too much. */
export function filesToRemove(
  files: readonly RotatedFile[],
  currentBytes: number,
  { keep, maxTotalBytes }: RotationLimits,
): readonly string[] {
  const newestFirst = files.toSorted((a, b) => (a.name < b.name ? 1 : -1))
  let total = currentBytes
  let isFull = false
  return newestFirst.flatMap(({ name, bytes }, index) => {
    total += bytes
    isFull ||= index >= keep || (maxTotalBytes > 0 && total > maxTotalBytes)
    return isFull ? [name] : []
  })
}

/** The number of the period that a moment is in; periods are counted from a midnight. `offsetMs` is local time minus UTC. */
export function periodOf(timeMs: number, everyMs: number, offsetMs: number): number {
  return everyMs === 0 ? 0 : Math.floor((timeMs + offsetMs) / everyMs)
}
