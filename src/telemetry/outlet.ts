// Where a sink's bytes go: a file, a terminal, a pipe or a stream, each written to without ever blocking the loop.

import { systemCodeOf } from '../config/failure.ts'
import { close, constants, copyFile, fstatSync, ftruncate, openSync, write, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

export const NEWLINE_BYTE = 10

/** One write at a time. EAGAIN says that the reader can take no more for now. */
export interface Outlet {
  write(bytes: Buffer, done: (error: string | null, written: number) => void): void
  close(): void
}

/**
 * Standard output as the shell or systemd gave it. A pipe or a terminal is opened once more for ourselves, without
 * blocking: a terminal that is stopped with Ctrl-S would otherwise hold one of libuv's few threads, and the process
 * could not even exit (measured on Node 22, 24 and 26). The flag stays off the descriptor that others share.
 */
export function standardOutlet(descriptor: 1 | 2, stream: () => Writable): Outlet {
  const stat = fstatSync(descriptor)
  // A file opened again would have an offset of its own and write over what is in it.
  if (stat.isFile()) return descriptorOutlet(descriptor, false)
  if (stat.isSocket()) return streamOutlet(stream())
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_APPEND
  for (const path of [`/proc/self/fd/${descriptor}`, `/dev/fd/${descriptor}`]) {
    try {
      return nonBlockingOutlet(openSync(path, flags))
    } catch {
      // No /proc, or a terminal that belongs to somebody else (`su`): the next way.
    }
  }
  return descriptorOutlet(descriptor, false)
}

/** A log file, to the end of which lines are added. */
export function fileOutlet(path: string): Outlet {
  return descriptorOutlet(openSync(path, 'a', 0o640), true)
}

/**
 * A log that is open already, for appending, and may grow to `limitBytes`: then what is in it is copied to `<path>.1` and it
 * begins anew. Not renamed, since others have it open as well: what Node itself says of its death goes there too.
 */
export function boundedOutlet(descriptor: number, path: string, limitBytes: number): Outlet {
  const outlet = descriptorOutlet(descriptor, false)
  let used = fstatSync(descriptor).size
  const add = (bytes: Buffer, done: Parameters<Outlet['write']>[1]): void => {
    outlet.write(bytes, (error, written) => {
      used += written
      done(error, written)
    })
  }
  return {
    ...outlet,
    write(bytes, done) {
      if (used === 0 || used + bytes.length <= limitBytes) return add(bytes, done)
      // Also when there is no room for the copy: that it does not grow for ever comes first.
      copyFile(path, `${path}.1`, () => {
        ftruncate(descriptor, 0, () => {
          used = 0
          add(bytes, done)
        })
      })
    },
  }
}

/**
 * For descriptors that never block: the write happens in the same turn, which keeps the time short in which lines are
 * only in this process's memory and lost if it is killed.
 */
function nonBlockingOutlet(descriptor: number): Outlet {
  return {
    write(bytes, done) {
      let written = 0
      let failure: string | null = null
      try {
        written = writeSync(descriptor, bytes)
      } catch (error) {
        failure = codeOf(error)
      }
      done(failure, written)
    },
    close() {
      close(descriptor, () => {})
    },
  }
}

/** For descriptors that may block (a disk): the write happens in libuv's thread pool. */
function descriptorOutlet(descriptor: number, isOwned: boolean): Outlet {
  return {
    write(bytes, done) {
      write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
        done(error === null ? null : codeOf(error), error === null ? written : 0)
      })
    },
    close() {
      if (isOwned) close(descriptor, () => {})
    },
  }
}

/** A socket (journald) or any other stream: its callback says when the bytes have left. */
export function streamOutlet(stream: Writable): Outlet {
  stream.on('error', () => {})
  return {
    write(bytes, done) {
      stream.write(bytes, (error) => {
        if (!error) return done(null, bytes.length)
        done(codeOf(error), 0)
      })
    },
    close() {
      stream.end()
    },
  }
}

export function codeOf(error: unknown): string {
  return systemCodeOf(error) ?? 'EIO'
}
