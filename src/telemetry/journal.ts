// Whether journald reads our stdout itself: then lines may say how urgent they are, and colour is noise.

import { fstatSync } from 'node:fs'

type Environment = Readonly<Record<string, string | undefined>>

/** systemd names device and inode of the socket, so that a shell that passes the variable on to a pipe misleads nobody. */
export function isJournal(environment: Environment, descriptor: number): boolean {
  const named = environment['JOURNAL_STREAM']
  if (named === undefined) return false
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true })
    return named === `${dev}:${ino}`
  } catch {
    return false
  }
}
