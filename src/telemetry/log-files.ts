// The log files of an instance, one writer each: apps that name the same file share it.

import type { LogFileConfig } from '../config/app-config.ts'
import { LogFile, type LogFileReports } from './log-file.ts'

export class LogFiles {
  readonly #reports: (path: string) => LogFileReports
  readonly #files = new Map<string, LogFile>()
  /** What they hold is still being written. */
  readonly #closing = new Set<LogFile>()
  #droppedByClosed = 0

  constructor(reports: (path: string) => LogFileReports) {
    this.#reports = reports
  }

  /** Opened with its first line. What an app says of its rotation last holds for all who share it. */
  open({ path, ...limits }: LogFileConfig): LogFile {
    const known = this.#files.get(path)
    const file = known ?? new LogFile(path, limits, this.#reports(path))
    file.limits = limits
    this.#files.set(path, file)
    return file
  }

  get all(): readonly LogFile[] {
    return [...this.#files.values()]
  }

  /** Since the supervisor's start, whether the file is still open or not. */
  get droppedLines(): number {
    let lines = this.#droppedByClosed
    for (const { state } of [...this.#files.values(), ...this.#closing]) lines += state.droppedLines
    return lines
  }

  /** Closes those that no app writes to any more. */
  async keepOnly(paths: ReadonlySet<string>, withinMs: number): Promise<void> {
    const unused = this.all.filter(({ path }) => !paths.has(path))
    for (const { path } of unused) this.#files.delete(path)
    await Promise.all(unused.map((file) => this.#close(file, withinMs)))
  }

  async #close(file: LogFile, withinMs: number): Promise<void> {
    this.#closing.add(file)
    try {
      await file.close(withinMs)
    } finally {
      this.#closing.delete(file)
      this.#droppedByClosed += file.state.droppedLines
    }
  }
}
