// Mistakes in options: where each is, and the one error that tells of all of them.

import { basename } from 'node:path'
import { invalidConfig, invalidFlags, invalidOptions } from '../errors/config.ts'
import type { SuperviseError } from '../errors.ts'
import { placeOf } from './files.ts'
import type { ConfigDocument } from './files.ts'
import type { Path } from './schema.ts'

export type Origin =
  | { readonly in: 'file'; readonly at: Path }
  | { readonly in: 'variable'; readonly name: string }
  | { readonly in: 'flag'; readonly flag: string }

export interface Mistake {
  readonly origin: Origin
  /** In words that follow the place: `0 is not allowed; write …`. */
  readonly problem: string
}

/** What is wrong in the file, but in none of its apps. */
export function mistakesAround(document: ConfigDocument | null): readonly Mistake[] {
  return (document?.problems ?? []).map(({ at, problem }) => ({ origin: { in: 'file', at }, problem }))
}

/** Places that the message itself names. */
const NAMED = 4

export async function mistakesError(
  mistakes: readonly Mistake[],
  document: ConfigDocument | null,
): Promise<SuperviseError> {
  const placed = await sortByLine(mistakes, document)
  const lines = new Set(placed.map((mistake) => describe(mistake, document)))
  const places = [...new Set(placed.map(({ origin }) => shortPlace(origin)))]
  const named = places.slice(0, NAMED).join(', ') + (places.length > NAMED ? ` and ${places.length - NAMED} more` : '')
  if (mistakes.every(({ origin }) => origin.in === 'flag')) return invalidFlags(named, [...lines])
  return document === null ? invalidOptions(named, [...lines]) : invalidConfig(document.file, named, [...lines])
}

function shortPlace(origin: Origin): string {
  if (origin.in === 'file') return placeOf(origin.at) || 'the file'
  return origin.in === 'flag' ? origin.flag : origin.name
}

interface PlacedMistake extends Mistake {
  /** Infinity when there is none. */
  readonly line: number
}

/** First those of the file, from its top to its end, then the others as they were found. */
async function sortByLine(
  mistakes: readonly Mistake[],
  document: ConfigDocument | null,
): Promise<readonly PlacedMistake[]> {
  const inFile = mistakes.filter(({ origin }) => origin.in === 'file')
  const lines = await linesOf(inFile, document)
  return [...inFile, ...mistakes.filter(({ origin }) => origin.in !== 'file')]
    .map(({ origin, problem }, index) => ({ origin, problem, line: lines[index] ?? Infinity }))
    .toSorted((a, b) => (a.line === b.line ? 0 : a.line - b.line))
}

async function linesOf(mistakes: readonly Mistake[], document: ConfigDocument | null) {
  if (mistakes.length === 0 || document === null || document.text === null) return []
  const { locate } = await import('./locate.ts')
  const paths = mistakes.map(({ origin }) => (origin.in === 'file' ? origin.at : []))
  return locate(document.text, paths)
}

function describe({ origin, problem, line }: PlacedMistake, document: ConfigDocument | null): string {
  if (origin.in !== 'file') return `${shortPlace(origin)}: ${problem}`
  const file = `${basename(document?.file ?? '')}${line === Infinity ? '' : `:${line}`}`
  return origin.at.length === 0 ? `${file}: ${problem}` : `${file}: ${placeOf(origin.at)}: ${problem}`
}
