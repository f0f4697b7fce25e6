// The log files of an instance, one writer each: apps that name the same file share it.

import type { LogFileConfig } from '../config/app-config.ts'
import { LogFile, type LogFileReports } from './log-file.ts'

export class LogFiles {
  readonly #reports: (path: string) => LogFileReports
  readonly #files = new Map<string, LogFile>()

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

  /** Closes those that no app writes to any more. */
  async keepOnly(paths: ReadonlySet<string>, withinMs: number): Promise<void> {
    const unused = this.all.filter(({ path }) => !paths.has(path))
    for (const { path } of unused) this.#files.delete(path)
    await Promise.all(unused.map((file) => file.close(withinMs)))
  }
}
