// The one line, and the place, that a person wants to see of all that a dying Node.js process wrote.

/** An error as a process told it on its last lines. */
export interface Headline {
  /** Such as `Error: Cannot find module './db.js'`. */
  readonly text: string
  /** Such as `app.js:3:10`; null when nothing names a place in the app's own code. */
  readonly place: string | null
}

/**
 * Finds the error in the last lines of stderr, or in the stack of an uncaught error; null when there is nothing.
 * Paths below `directory` are shown relative to it.
 */
export function findHeadline(stderr: readonly string[], directory: string | null): Headline | null {
  const native = stderr.findIndex((line) => line.startsWith('----- Native stack trace'))
  const lines = stderr.slice(0, native === -1 ? undefined : native).map((line) => line.replace('file://', ''))
  const printed = findPrintedError(lines) ?? findStack(lines) ?? findLastLine(lines)
  if (printed === null) return null
  const { at, source } = printed
  const text = clean(lines[at] ?? '', directory)
  const place = placeInStack(lines.slice(at), directory) ?? sourcePlace(source) ?? importerOf(lines.slice(at))
  return text === '' ? null : { text, place: place === null ? null : shorten(place, directory) }
}

/** In one line, as it is shown to people. */
export function headline(stderr: readonly string[], directory: string | null = null): string | null {
  const found = findHeadline(stderr, directory)
  if (found === null) return null
  return found.place === null ? found.text : `${found.text}   at ${found.place}`
}

interface Printed {
  /** Index of the error's first line. */
  readonly at: number
  /** Where Node pointed into the source. */
  readonly source: { readonly file: string; readonly line: string; readonly column: number } | null
}

/** Node prints `file:line`, the source line, carets below it, perhaps an empty line, and the error. */
function findPrintedError(lines: readonly string[]): Printed | null {
  for (let at = lines.length - 1; at >= 1; at -= 1) {
    if (!/^\s*\^+\s*$/.test(lines[at]!)) continue
    const header = findSourceHeader(lines, at)
    if (header === null) continue
    const error = nextText(lines, at + 1)
    if (error === null) return null
    const [, file = '', line = ''] = header
    return { at: error, source: isOwnCode(file) ? { file, line, column: lines[at]!.indexOf('^') + 1 } : null }
  }
  return null
}

/** For TypeScript the carets may stand below the first of several source lines. */
function findSourceHeader(lines: readonly string[], caret: number): RegExpMatchArray | null {
  for (let at = caret - 1; at >= Math.max(caret - 4, 0); at -= 1) {
    const header = lines[at]!.match(/^((?:\/|node:).*):(\d+)$/)
    if (header !== null) return header
  }
  return null
}

/**
 * The first line that is text. Lines right below the carets are source when an empty line and then an error follow, as
 * Node prints TypeScript that it cannot strip.
 */
function nextText(lines: readonly string[], from: number): number | null {
  const first = lines.findIndex((line, at) => at >= from && line.trim() !== '')
  if (first === -1) return null
  if (first > from || ERROR_LINE.test(lines[first]!)) return first
  for (let at = first + 1; at < lines.length && at <= first + 20; at += 1) {
    if (lines[at - 1]!.trim() === '' && ERROR_LINE.test(lines[at]!)) return at
  }
  return first
}

const ERROR_NAME = /\b(?:[A-Z][\w$]*)?(?:Error|Exception|Rejection)\b/
const ERROR_LINE = new RegExp(`^(?:Uncaught )?${ERROR_NAME.source}`)
const FRAME = /^ {4}at /

/** An error with a stack: the line above the last frames, or the one before it that names an error. */
function findStack(lines: readonly string[]): Printed | null {
  const last = lines.findLastIndex((line) => FRAME.test(line))
  if (last === -1) return null
  const above = lines.findLastIndex((line, at) => at < last && !FRAME.test(line))
  if (above === -1) return null
  const named = lines.findLastIndex((line, at) => at <= above && at > above - 10 && ERROR_NAME.test(line))
  const at = named === -1 ? above : named
  return { at, source: findMarkedSource(lines, at) }
}

/** Several lines of TypeScript that cannot be stripped are not pointed at from below, but marked in front. */
function findMarkedSource(lines: readonly string[], error: number): Printed['source'] {
  const marked = lines.findLastIndex(
    (line, at) => at < error && /^\/.*:\d+$/.test(line) && lines[at + 1]!.startsWith('  > '),
  )
  const [, file = '', line = ''] = lines[marked]?.match(/^(.*):(\d+)$/) ?? []
  return file === '' ? null : { file, line, column: 1 }
}

/** The last words, whatever they are. */
function findLastLine(lines: readonly string[]): Printed | null {
  const fatal = lines.findLastIndex((line) =>
    /^FATAL ERROR: |: bad option: |^#\s*Fatal error in|unsettled top-level await/.test(line),
  )
  if (fatal !== -1) return { at: fatal, source: null }
  const last = lines.findLastIndex((line) => line.trim() !== '' && !/^Node\.js v\d/.test(line))
  return last === -1 ? null : { at: last, source: null }
}

/** The first frame in the app's own code, or else in what it depends on. */
function placeInStack(lines: readonly string[], directory: string | null): string | null {
  const places: string[] = []
  for (const line of lines.slice(1)) {
    const match = line.match(/^\s+at (?:.*\()?(\/[^()]*:\d+:\d+)\)?(?: \{)?$/)
    if (match !== null && isOwnCode(match[1]!)) places.push(match[1]!)
    // What comes below is the stack of the error's cause, or of who emitted it.
    else if (/^\s+\[?cause\]?:|^Emitted 'error'/.test(line)) break
  }
  const own = places.filter((place) => !place.includes('/node_modules/'))
  return own.find((place) => directory !== null && place.startsWith(`${directory}/`)) ?? own[0] ?? places[0] ?? null
}

/** Neither Node's own code nor this project's agent. */
function isOwnCode(path: string): boolean {
  return !path.startsWith('node:') && !path.includes('/dist/agent/preload.js')
}

function sourcePlace(source: Printed['source']): string | null {
  return source === null ? null : `${source.file}:${source.line}:${source.column}`
}

/** The file that asked for a module that is not there: ESM's errors have no frame for it. */
function importerOf(lines: readonly string[]): string | null {
  const imported = lines[0]?.match(/ imported from (.+)$/)?.[1]
  const required = lines.slice(0, 12).find((line) => line.startsWith('- /'))
  return imported ?? required?.slice(2) ?? null
}

function clean(line: string, directory: string | null): string {
  const text = line
    .trim()
    .replace(/^Uncaught /, '')
    .replace(/^(\w+) \[(?:ERR_)?[A-Z_0-9]+\]: /, '$1: ')
    .replace(/ imported from \/.+$/, '')
    .replace(/^UnhandledPromiseRejection: .*rejected with the reason "(.*)"\.$/, 'Unhandled rejection: $1')
  const message = jsonMessage(text) ?? text
  const shown = directory === null ? message : message.replaceAll(`'${directory}/`, "'./")
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}…` : shown
}

const LONGEST = 300

/** Last words of a logger that writes JSON. */
function jsonMessage(line: string): string | null {
  if (!line.startsWith('{') || !line.endsWith('}')) return null
  try {
    const { err, msg, message }: { err?: { message?: unknown }; msg?: unknown; message?: unknown } = JSON.parse(line)
    const found = [err?.message, msg, message].find((text) => typeof text === 'string' && text !== '')
    return typeof found === 'string' ? found : null
  } catch {
    return null
  }
}

function shorten(place: string, directory: string | null): string {
  return directory !== null && place.startsWith(`${directory}/`) ? place.slice(directory.length + 1) : place
}
