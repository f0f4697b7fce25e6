// Where the lines of all apps go: memory for `supervise logs`, stdout, log files, each as the app's options say. Counts what
// passes and what is lost. Takes a line and returns; what is slow or broken behind it is the sinks' own affair.

import type { LogConfig } from '../config/app-config.ts'
import { logsNotReopened, noLogFiles } from '../errors/logs.ts'
import type { LogRecord } from '../control/messages.ts'
import type { Feed, LogQuery } from '../supervisor/operations.ts'
import { ownFields, type FormatAppLine } from './app-lines.ts'
import { isBelow, levelOf, soundsLike, withPriority } from './levels.ts'
import { LogFiles } from './log-files.ts'
import { matchesQuery } from './log-query.ts'
import { wordsOf } from '../config/why-not-written.ts'
import type { LogFile, LogFileReports } from './log-file.ts'
import { codeOf } from './outlet.ts'
import { Ring } from './ring.ts'
import type { Sink, SinkState } from './sink.ts'

/** How lines are written to stdout. */
export interface Console {
  readonly sink: Sink
  readonly isTerminal: boolean
  readonly format: FormatAppLine
  /** Under journald: each line says how urgent it is. */
  readonly prioritize: boolean
}

export interface LogDeskOptions {
  readonly console: Console
  /** As files have them. */
  readonly formatJson: FormatAppLine
  /** What happens to a log file; `app` is one that writes to it. */
  readonly fileReports: (path: string) => LogFileReports
}

/** Of one app and stream, since the supervisor's start. */
export interface LineCounts {
  lines: number
  bytes: number
}

export interface LogCounts {
  readonly apps: ReadonlyMap<string, Readonly<Record<LogRecord['stream'], Readonly<LineCounts>>>>
  /** By `stdout` or the file's path. */
  readonly sinks: ReadonlyMap<string, SinkState>
  /** By all of them, and by files that are closed by now. */
  readonly droppedLines: number
}

interface Place {
  readonly config: LogConfig
  readonly file: LogFile | null
  readonly toConsole: boolean
  readonly counts: Record<LogRecord['stream'], LineCounts>
}

const PLAIN: LogConfig = { level: null, file: null, stdout: null, multiline: true, redact: [] }

/** For `supervise logs`: the latest records, in memory. */
const KEPT_RECORDS = 5000
const KEPT_BYTES = 4 * 1024 * 1024
const CLOSE_MS = 2000
const REOPEN_MS = 2000

export class LogDesk {
  readonly #options: LogDeskOptions
  readonly #files: LogFiles
  readonly #places = new Map<string, Place>()
  readonly #recent = new Ring<LogRecord>({
    items: KEPT_RECORDS,
    bytes: KEPT_BYTES,
    sizeOf: (record) => record.line.length + 100,
  })

  constructor(options: LogDeskOptions) {
    this.#options = options
    this.#files = new LogFiles(options.fileReports)
  }

  /** Says what an app wants from now on; the same again costs nothing. */
  configure(app: string, wanted: LogConfig | undefined): void {
    // An earlier supervisor may have remembered an app before there were such options.
    const config = wanted ?? PLAIN
    const known = this.#places.get(app)
    if (known?.config === config) return
    const file = config.file === null ? null : this.#files.open(config.file)
    const toConsole = config.stdout ?? (file === null || this.#options.console.isTerminal)
    const counts = known?.counts ?? { stdout: noLines(), stderr: noLines() }
    this.#places.set(app, { config, file, toConsole, counts })
    this.#closeUnused()
  }

  /** What it wrote stays on disk; its file closes. */
  forget(app: string): void {
    if (this.#places.delete(app)) this.#closeUnused()
  }

  configOf(app: string): LogConfig {
    return this.#places.get(app)?.config ?? PLAIN
  }

  take(record: LogRecord): void {
    const { config, file, toConsole, counts } = this.#placeOf(record.app)
    const own = ownFields(record)
    const level = own === null ? null : levelOf(own)
    countIn(counts[record.stream], record)
    if (level !== null && config.level !== null && isBelow(level, config.level)) return
    const complete = level === null ? record : { ...record, level }
    this.#recent.push(complete)
    const { console, formatJson } = this.#options
    const json = file === null ? null : formatJson(complete, own)
    if (json !== null) file?.write(json)
    if (!toConsole) return
    const text = json !== null && console.format === formatJson ? json : console.format(complete, own)
    console.sink.write(console.prioritize ? withPriority(text, soundsLike(complete)) : text)
  }

  /** A line of the supervisor's own about an app, as JSON, into the app's file. */
  takeOwn(app: string, json: string): void {
    this.#places.get(app)?.file?.write(json, true)
  }

  feed(query: LogQuery): Feed<LogRecord> {
    return this.#recent.feed({ last: query.lines, matches: (record) => matchesQuery(record, query) })
  }

  /** Opens the files of one app, or with null all of them, by their names again; resolves with the paths. */
  async reopen(app: string | null): Promise<readonly string[]> {
    const files = app === null ? this.#files.all : [this.#places.get(app)?.file ?? null].filter((file) => file !== null)
    const results = await Promise.all(files.map((file) => reopenFile(file)))
    const failures = results.filter((result) => result !== null)
    if (files.length === 0) throw noLogFiles(app)
    if (failures.length > 0) throw logsNotReopened(failures)
    return files.map(({ path }) => path)
  }

  /** For metrics: what has passed, and what every way out has lost. */
  counts(): LogCounts {
    const sinks = new Map([['stdout', this.#options.console.sink.state]])
    for (const file of this.#files.all) sinks.set(file.path, file.state)
    const droppedLines = this.#options.console.sink.state.droppedLines + this.#files.droppedLines
    return { apps: new Map([...this.#places].map(([app, { counts }]) => [app, counts])), sinks, droppedLines }
  }

  async close(withinMs: number): Promise<void> {
    await Promise.all([this.#files.keepOnly(new Set(), withinMs), this.#options.console.sink.flush(withinMs)])
  }

  #placeOf(app: string): Place {
    const known = this.#places.get(app)
    if (known !== undefined) return known
    this.configure(app, PLAIN)
    return this.#placeOf(app)
  }

  #closeUnused(): void {
    const used = [...this.#places.values()].flatMap(({ file }) => (file === null ? [] : [file.path]))
    void this.#files.keepOnly(new Set(used), CLOSE_MS)
  }
}

/** As the app wrote it: a record may have several lines, and a piece of a long line has no end. */
function countIn(counts: LineCounts, { line, continues }: LogRecord): void {
  const ends = continues === true ? 0 : 1
  counts.lines += line.split('\n').length - 1 + ends
  counts.bytes += Buffer.byteLength(line) + ends
}

function noLines(): LineCounts {
  return { lines: 0, bytes: 0 }
}

/** Null when it went well, else why not. A disk that does not answer is not waited for. */
async function reopenFile(file: LogFile): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${file.path}: what waits to be written cannot be`), REOPEN_MS)
  })
  try {
    return await Promise.race([file.reopen().then(() => null), late])
  } catch (error) {
    return `${file.path}: ${wordsOf(codeOf(error))}`
  } finally {
    clearTimeout(timer)
  }
}
