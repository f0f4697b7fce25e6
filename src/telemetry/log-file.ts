// A log file that is rotated: by size and by time, between whole lines; the rotated ones are compressed and in the end removed.
// Nothing of it blocks or harms the app: trouble with the disk is told once, and over when it is over.

import { existsSync, renameSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { wordsOf } from '../config/why-not-written.ts'
import { FileOutlet, type FileOutletEvents } from './file-outlet.ts'
import { codeOf } from './outlet.ts'
import { periodOf, rotatedName, type RotationLimits } from './rotation.ts'
import { RotatedFiles } from './rotated-files.ts'
import { Sink, type SinkState } from './sink.ts'

export interface LogFileReports {
  /** It cannot be written, rotated or tidied up, in words; said once until it works again. */
  readonly onTrouble: (words: string) => void
  /** All is well again. So many lines were lost meanwhile. */
  readonly onRecovery: (droppedLines: number) => void
  readonly dropNotice: (lines: number) => string
}

/** `web.log cannot …` */
type Ability = 'be written' | 'be rotated' | 'compress or remove its rotated files'

/** For each file, beside the sink's reserve: enough for a disk that is full for a while. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const LOOK_MS = 1000
/** A rotation that failed is not tried with every write. */
const RETRY_MS = 30_000

export class LogFile {
  readonly path: string
  limits: RotationLimits
  readonly #reports: LogFileReports
  readonly #sink: Sink
  readonly #rotated: RotatedFiles
  readonly #timer: NodeJS.Timeout
  #outlet: FileOutlet
  /** The period that the current file belongs to. */
  #period: number | null = null
  #rotateWanted = false
  #lastRotatedMs = 0
  #notBefore = 0
  /** What it cannot do, and the lines that had been dropped when it began. */
  readonly #troubles = new Map<Ability, { readonly code: string; readonly droppedBefore: number }>()

  constructor(path: string, limits: RotationLimits, reports: LogFileReports) {
    this.path = path
    this.limits = limits
    this.#reports = reports
    this.#outlet = this.#newOutlet()
    this.#sink = new Sink({
      outlet: this.#outlet,
      openAgain: () => this.#openAgain(),
      maxWaitingBytes: MAX_WAITING_BYTES,
      dropNotice: reports.dropNotice,
    })
    this.#rotated = new RotatedFiles(path, (code) => this.#hear('compress or remove its rotated files', code))
    this.#rotated.tidy(limits, 0)
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  get state(): SinkState {
    return { ...this.#sink.state, broken: this.#troubles.get('be written')?.code ?? null }
  }

  write(text: string, own = false): void {
    this.#sink.write(text, own)
  }

  /** Opens the file by its name again: somebody has moved it. Rejects with the system's error where that fails. */
  reopen(): Promise<void> {
    return this.#sink.reopen()
  }

  async close(withinMs: number): Promise<void> {
    clearInterval(this.#timer)
    await this.#sink.flush(withinMs)
    await this.#rotated.stop()
    this.#outlet.close()
  }

  #newOutlet(): FileOutlet {
    const events: FileOutletEvents = {
      onTrouble: (code) => this.#hear('be written', code),
      onWritten: (outlet) => this.#written(outlet),
    }
    return new FileOutlet(this.path, events)
  }

  #written(outlet: FileOutlet): void {
    this.#period ??= this.#periodOf(outlet.lastWrittenMs ?? Date.now())
    const { maxSizeBytes } = this.limits
    if (maxSizeBytes > 0 && outlet.bytes >= maxSizeBytes) this.#rotate()
  }

  /** Called by the sink between two blocks of whole lines. */
  #openAgain(): FileOutlet {
    if (this.#rotateWanted) this.#moveAway()
    const outlet = this.#newOutlet()
    outlet.open()
    this.#outlet = outlet
    this.#period = null
    return outlet
  }

  #moveAway(): void {
    this.#rotateWanted = false
    const nameAt = (timeMs: number) => join(dirname(this.path), rotatedName(basename(this.path), new Date(timeMs)))
    // Two of one millisecond, or of a clock that was set back, still stand in the order in which they were written.
    this.#lastRotatedMs = Math.max(Date.now(), this.#lastRotatedMs + 1)
    while (existsSync(nameAt(this.#lastRotatedMs)) || existsSync(`${nameAt(this.#lastRotatedMs)}.gz`))
      this.#lastRotatedMs += 1
    const target = nameAt(this.#lastRotatedMs)
    try {
      renameSync(this.path, target)
    } catch (error) {
      // It is gone already: somebody else has moved it.
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  #rotate(): void {
    if (this.#rotateWanted || performance.now() < this.#notBefore) return
    this.#rotateWanted = true
    this.#sink.reopen().then(
      () => {
        this.#hear('be rotated', null)
        this.#rotated.tidy(this.limits, this.#outlet.bytes)
      },
      (error: unknown) => {
        this.#notBefore = performance.now() + RETRY_MS
        this.#rotateWanted = false
        this.#hear('be rotated', codeOf(error))
      },
    )
  }

  /** What no write can tell: a period that is over, a file that was moved or deleted under us. */
  #look(): void {
    const { everyMs } = this.limits
    const isOver = this.#period !== null && this.#periodOf(Date.now()) !== this.#period
    if (everyMs > 0 && isOver && this.#outlet.bytes > 0) return this.#rotate()
    const { inode } = this.#outlet
    if (inode !== null) void this.#leaveIfMoved(inode)
  }

  async #leaveIfMoved(inode: number): Promise<void> {
    const found = await stat(this.path).catch((error: unknown) => codeOf(error))
    // Where it cannot be looked at for another reason, what is open is written on.
    const isGone = typeof found === 'string' ? found === 'ENOENT' || found === 'ENOTDIR' : found.ino !== inode
    if (isGone && this.#outlet.inode === inode) this.#outlet.lose()
  }

  #periodOf(timeMs: number): number {
    const offsetMs = new Date(timeMs).getTimezoneOffset() * -60_000
    return periodOf(timeMs, this.limits.everyMs, offsetMs)
  }

  #hear(ability: Ability, code: string | null): void {
    const known = this.#troubles.get(ability)
    const { droppedLines } = this.#sink.state
    if (code === null && known !== undefined) {
      this.#troubles.delete(ability)
      this.#reports.onRecovery(droppedLines - known.droppedBefore)
    } else if (code !== null && known === undefined) {
      this.#troubles.set(ability, { code, droppedBefore: droppedLines })
      this.#reports.onTrouble(`${this.path} cannot ${ability}: ${wordsOf(code)}`)
    }
  }
}
