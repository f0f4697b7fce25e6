// Which crashes are the same one: a normal form of what a process said at its end, and a short name for it. Pure.
//
// What makes two crashes differ: the reason, the error's name and message, and the functions and files of the app's own
// stack. What does not: line and column (an edit above moves them), numbers, addresses, ids and quoted hashes in the
// message, the directory of the release, Node's own frames and the agent's.

import { createHash } from 'node:crypto'
import { findHeadline } from './headline.ts'

export interface CrashTraits {
  readonly reason: string
  readonly code: number | null
  readonly signal: string | null
  /** In one sentence. */
  readonly words: string
  /** Stack of the exception that nobody caught; null when nobody told. */
  readonly stack: string | null
  readonly stderr: readonly string[]
  /** Directories of the release, to which paths are relative. */
  readonly directories: readonly string[]
}

export interface Fingerprint {
  readonly fingerprint: string
  /** What it is called in a list. */
  readonly title: string
}

/** Deeper frames tell apart who called, not what broke. */
const FRAMES = 8
const LONGEST_TITLE = 200
const LONGEST_MESSAGE = 300

export function fingerprintOf(traits: CrashTraits): Fingerprint {
  const { reason, code, signal, directories } = traits
  const said = traits.stack?.split('\n') ?? traits.stderr
  const headline = isOwnEnd(traits) ? findHeadline(said, null) : null
  const message = headline === null ? withoutNoise(traits.words, directories) : withoutNoise(headline.text, directories)
  const frames = headline === null ? [] : framesOf(said, directories)
  const parts = [reason, String(code), String(signal), message.slice(0, LONGEST_MESSAGE), ...frames]
  const fingerprint = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 10)
  return { fingerprint, title: titleOf(traits, headline === null ? null : headline.text, frames) }
}

/** What a process that was ended from outside printed last has nothing to do with its end. */
function isOwnEnd({ reason, signal, stack }: CrashTraits): boolean {
  if (stack !== null) return true
  return (reason === 'exit' || reason === 'start-failure') && signal === null
}

function titleOf({ words, directories }: CrashTraits, text: string | null, frames: readonly string[]): string {
  const told = withoutDirectories(text ?? words, directories)
  const where = frames[0] === undefined ? '' : `   in ${frames[0]}`
  return `${told.length > LONGEST_TITLE ? `${told.slice(0, LONGEST_TITLE - 1)}…` : told}${where}`
}

const FRAME = /^\s+at (?:(.*) \()?((?:file:\/\/)?(?:\/|node:|[\w-]+:\/\/)[^()]*?)(?::\d+)?(?::\d+)?\)?(?: \{)?$/

/** `handler lib/db.js`: function and file of each frame of the app, without line and column. */
function framesOf(lines: readonly string[], directories: readonly string[]): readonly string[] {
  const frames: string[] = []
  for (const line of lines) {
    // What comes below is the stack of the error's cause.
    if (/^\s+\[?cause\]?:/.test(line)) break
    const [, name = '', place = ''] = FRAME.exec(line) ?? []
    if (place === '' || place.startsWith('node:') || place.includes('/dist/agent/preload.js')) continue
    const file = placeOf(place.replace('file://', ''), directories)
    const called = name.replace(/^async /, '').replace(/ \[as .*\]$/, '')
    frames.push(called === '' ? file : `${called.replace(/^Object\.<anonymous>$/, 'the module')} (${file})`)
    if (frames.length === FRAMES) break
  }
  return frames
}

/** A package's file is the same one wherever the package is installed; a bundler's hash in a name is noise. */
function placeOf(path: string, directories: readonly string[]): string {
  const packages = path.lastIndexOf('/node_modules/')
  const shown = packages === -1 ? withoutDirectories(path, directories) : path.slice(packages + 1)
  return shown.replaceAll(/([-.])(?=[A-Za-z0-9_]*\d)[A-Za-z0-9_]{8,}(?=\.[cm]?[jt]sx?$)/g, '$1#')
}

/** The longest that fits comes first: one may stand inside another. */
function withoutDirectories(text: string, directories: readonly string[]): string {
  const longestFirst = directories.toSorted((a, b) => b.length - a.length)
  return longestFirst.reduce((short, directory) => short.replaceAll(`${directory}/`, ''), text)
}

function withoutNoise(text: string, directories: readonly string[]): string {
  return withoutDirectories(text, directories)
    .replaceAll(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '#')
    .replaceAll(/\b0x[0-9a-f]+\b/gi, '#')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '#')
    .replaceAll(/\d+(?:[.,:]\d+)*/g, '#')
}
