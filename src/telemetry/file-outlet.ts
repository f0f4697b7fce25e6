// One log file, open for appending. What cannot be written is tried again until it can: the sink keeps the lines meanwhile,
// within its bounds. Made of descriptors and nothing else: when it is turned is decided in log-file.ts.

import { close, constants, fstatSync, openSync, write } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { makeDirectories } from '../config/make-directories.ts'
import { codeOf, type Outlet } from './outlet.ts'

export interface FileOutletEvents {
  /** It cannot be opened or written, and why; null when it works again. Told once each. */
  readonly onTrouble: (code: string | null) => void
  /** After each write. */
  readonly onWritten: (outlet: FileOutlet) => void
}

/** The open of a FIFO that nobody reads would not come back without O_NONBLOCK; to a file it means nothing. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY

/** On a full disk the file itself is as good as ever. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG']

export class FileOutlet implements Outlet {
  readonly path: string
  /** What is in the file; 0 for what is none, such as /dev/null or a FIFO, and must never be moved. */
  bytes = 0
  /** Of the last line that an earlier supervisor wrote to it; null for a file that began here. */
  lastWrittenMs: number | null = null
  /** Tells this file from another one that is at its path by now. */
  inode: number | null = null
  readonly #events: FileOutletEvents
  #descriptor: number | null = null
  #trouble: string | null = null
  #isFile = false
  #isClosed = false
  #isLost = false

  constructor(path: string, events: FileOutletEvents) {
    this.path = path
    this.#events = events
  }

  /** Throws where it cannot be opened; a write would only try again. */
  open(): void {
    if (this.#descriptor !== null) return
    makeDirectories(dirname(resolve(this.path)), 0o750)
    this.#descriptor = openSync(this.path, APPEND, 0o640)
    const stats = fstatSync(this.#descriptor)
    this.#isFile = stats.isFile()
    this.bytes = this.#isFile ? stats.size : 0
    this.inode = stats.ino
    this.lastWrittenMs = this.bytes === 0 ? null : stats.mtimeMs
  }

  /** What is open is no longer at its path: the next write opens what is there, or tries until it can. */
  lose(): void {
    this.#isLost = true
  }

  write(bytes: Buffer, done: (error: string | null, written: number) => void): void {
    // Not before: the descriptor may have been in use by the write before this one.
    if (this.#isLost) this.#closeDescriptor()
    this.#isLost = false
    try {
      this.open()
    } catch (error) {
      return this.#fail(codeOf(error), done)
    }
    const descriptor = this.#descriptor
    if (descriptor === null) return done('EAGAIN', 0)
    write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) return this.#fail(codeOf(error), done)
      if (this.#isFile) this.bytes += written
      this.#tell(null)
      this.#events.onWritten(this)
      done(null, written)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#closeDescriptor()
  }

  #fail(code: string, done: (error: string | null, written: number) => void): void {
    // A FIFO whose reader is slow: no trouble, as for stdout.
    if (code === 'EAGAIN') return done(code, 0)
    // The file may have been taken away with its file system: the next try looks for it anew.
    if (!FULL.includes(code)) this.#closeDescriptor()
    this.#tell(code)
    // To the sink this is a slow reader, for which it keeps what it can.
    done('EAGAIN', 0)
  }

  #tell(code: string | null): void {
    if (code === this.#trouble || this.#isClosed) return
    this.#trouble = code
    this.#events.onTrouble(code)
  }

  #closeDescriptor(): void {
    if (this.#descriptor !== null) close(this.#descriptor, () => {})
    this.#descriptor = null
  }
}
