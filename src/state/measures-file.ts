// What an instance has counted, across its death and a reboot. It is written often and is worth little: not synced to the disk.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SavedMeasures } from '../telemetry/measures.ts'
import { makeDirectories } from '../config/make-directories.ts'

/** Raised when an older supervisor could not read what this one writes. */
const MEASURES_SCHEMA = 1

export function measuresFile(stateDirectory: string): string {
  return join(stateDirectory, 'measures.json')
}

/** Throws what the system says. */
export function writeMeasures(stateDirectory: string, measures: SavedMeasures): void {
  makeDirectories(stateDirectory)
  const file = measuresFile(stateDirectory)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, JSON.stringify({ schema: MEASURES_SCHEMA, measures }), { mode: 0o600 })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Null when there is none, or none that can be used: counting then begins anew. */
export function readMeasures(stateDirectory: string): SavedMeasures | null {
  try {
    const value: unknown = JSON.parse(readFileSync(measuresFile(stateDirectory), 'utf8'))
    const isOurs = typeof value === 'object' && value !== null && 'schema' in value && value.schema === MEASURES_SCHEMA
    // Written by this project under this schema number, in one piece: its shape is known.
    return isOurs && 'measures' in value ? (value.measures as SavedMeasures) : null
  } catch {
    return null
  }
}
