// What a command writes: data to stdout, talk to stderr, and with `--json` documents instead of both.

import type { WriteStream } from 'node:tty'
import { SCHEMA } from '../control/messages.ts'
import { choosePaint, type Paint } from './paint.ts'
import { truncate } from './text-width.ts'

export interface OutputSettings {
  readonly json: boolean
  readonly noColor: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

export class Output {
  readonly json: boolean
  /** Colours for stdout and for stderr: one of them may be a file. */
  readonly paint: Paint
  readonly talkPaint: Paint
  /** Where progress may be redrawn in place; null where it must be one line an event. */
  readonly liveTerminal: WriteStream | null

  constructor({ json, noColor, environment }: OutputSettings) {
    const paintFor = (stream: NodeJS.WriteStream) =>
      choosePaint({ isTerminal: stream.isTTY, refused: noColor, environment })
    this.json = json
    this.paint = paintFor(process.stdout)
    this.talkPaint = paintFor(process.stderr)
    this.liveTerminal = process.stderr.isTTY && environment.TERM !== 'dumb' && !json ? process.stderr : null
  }

  /** Columns of the terminal that data goes to; a pipe has room for all. */
  get width(): number {
    const { isTTY, columns } = process.stdout
    return isTTY && columns ? columns : Infinity
  }

  /** Lines of data. On a terminal they are cut at its edge, since a wrapped table cannot be read. */
  table(lines: readonly string[]): void {
    for (const line of lines) this.line(truncate(line, this.width))
  }

  lines(lines: readonly string[]): void {
    for (const line of lines) this.line(line)
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** A JSON document of its own. */
  document(value: object): void {
    this.line(JSON.stringify({ schema: SCHEMA, ...value }, null, process.stdout.isTTY ? 2 : 0))
  }

  /** One JSON document of a stream of them. */
  record(value: object): void {
    this.line(JSON.stringify({ schema: SCHEMA, ...value }))
  }

  /** For people, beside the data. */
  talk(text: string): void {
    process.stderr.write(`${text}\n`)
  }
}

/** `supervise logs | head` ends when its reader has enough, and that is no error. */
export function endQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
}
