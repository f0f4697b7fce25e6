// What the kernel tells of a process in `/proc/<pid>/stat`, by the numbers that proc(5) gives the fields.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { textOf } from './kernel-files.ts'

/** Of a process that is there, be it as a zombie. */
export interface ProcessStat {
  /** A letter: `R`, `S`, `T`, `Z`… */
  readonly state: string
  /** Field number 4 and up, as text; empty when there is no such field. */
  field(number: number): string
}

/** A line has some 300 bytes, with a name of 15 at most. */
const buffer = Buffer.alloc(1024)

/** Null when there is no such process, or when the system does not say. `root` stands before /proc. */
export function readProcessStat(pid: number, root = '/'): ProcessStat | null {
  return parseProcessStat(readLine(join(root, 'proc', String(pid), 'stat')))
}

/** The name in brackets may have anything in it, brackets and spaces too. */
export function parseProcessStat(text: string): ProcessStat | null {
  // The third field, the state, is the first here.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = ''] = fields
  if (state === '' || fields.length < 20) return null
  return { state, field: (number) => fields[number - 3] ?? '' }
}

/** Empty when the process has ended meanwhile. Half the time of `readFileSync`. */
function readLine(file: string): string {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0))
  } catch {
    return ''
  } finally {
    closeSync(descriptor)
  }
}

/** Who has started it, whatever it has become since; null when there is no such process. */
export function realUidOf(pid: number, root = '/'): number | null {
  const uid = /^Uid:\s+(\d+)/m.exec(textOf(join(root, 'proc', String(pid), 'status')))?.[1]
  return uid === undefined ? null : Number(uid)
}

/** Of every process that can be seen; empty where there is no /proc. */
export function allPids(root = '/'): readonly number[] {
  try {
    return readdirSync(join(root, 'proc')).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}
