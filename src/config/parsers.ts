// Parsers of single values that many options share: numbers, durations, sizes, words, paths. Those that one option
// alone has are in option-parsers.ts.

import { isAbsolute, resolve } from 'node:path'
import { accept, anyOf, quote, refuse, refuseValue } from './parser.ts'
import type { Parsed, Parser } from './parser.ts'
import { formatDuration, formatSize, likelyDurations, LONGEST_MS, parseDuration, parseSize } from './quantities.ts'
import { nearest } from './suggest.ts'

const WHOLE = /^[+-]?\d+$/

/** The number that `input` is or spells, or null. */
export function wholeNumber(input: unknown): number | null {
  const number = typeof input === 'string' && WHOLE.test(input) ? Number(input) : input
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null
}

export function integer(min: number, max: number): Parser<number> {
  return {
    json: { type: 'integer', minimum: min, maximum: max },
    format: String,
    parse(input) {
      const number = wholeNumber(input)
      if (number !== null && number >= min && number <= max) return accept(number)
      return refuseValue(input, `a whole number from ${min} to ${max}`)
    },
  }
}

/** `zero` says whether 0 is allowed, `example` what a refusal shows. */
export function duration(example: string, zero: 'zero' | 'no-zero'): Parser<number> {
  const allowed = `a duration such as "${example}" (units d, h, m, s, ms)${zero === 'zero' ? ', or 0' : ''}`
  return {
    json: { anyOf: [{ type: 'string', examples: [example] }, ...(zero === 'zero' ? [{ const: 0 }] : [])] },
    format: formatDuration,
    parse(input) {
      const text = typeof input === 'number' ? String(input) : input
      const ms = typeof text === 'string' ? parseDuration(text) : null
      if (ms !== null && ms > LONGEST_MS) return refuse(`${quote(input)} is too long; write at most "24d"`)
      if (ms !== null && (ms > 0 || zero === 'zero')) return accept(ms)
      const likely = typeof text === 'string' ? likelyDurations(text) : []
      if (likely.length > 1) return refuse(`${quote(input)} has no unit; write ${anyOf(likely)}`)
      return refuseValue(input, allowed, likely)
    },
  }
}

/** A limit on bytes; 0 is none. A bare number is bytes, so a forgotten unit shows by being below `min`. */
export function sizeLimit(example: string, min: number): Parser<number | null> {
  const allowed = `a size such as "${example}" (units K, M, G) of at least "${formatSize(min)}", or 0`
  return {
    json: { anyOf: [{ type: 'string', examples: [example] }, { type: 'integer' }] },
    format: (bytes) => formatSize(bytes ?? 0),
    parse(input) {
      const bytes = typeof input === 'string' ? parseSize(input) : wholeNumber(input)
      if (bytes === 0) return accept(null)
      if (bytes !== null && bytes >= min) return accept(bytes)
      // Most who write a bare number mean megabytes.
      const bare = wholeNumber(input) ?? 0
      return refuseValue(input, allowed, bare * 1024 ** 2 >= min ? `${bare}M` : null)
    },
  }
}

/** `inner`, or the word `auto`. */
export function autoOr<Value>(inner: Parser<Value>): Parser<Value | 'auto'> {
  return {
    json: { anyOf: [{ const: 'auto' }, inner.json] },
    format: (value) => (value === 'auto' ? 'auto' : inner.format(value)),
    parse: (input, directory) => (input === 'auto' ? accept('auto') : inner.parse(input, directory)),
  }
}

/** `inner`, where 0 is no limit. */
export function limit(inner: Parser<number>): Parser<number | null> {
  return {
    json: inner.json,
    format: (value) => inner.format(value ?? 0),
    parse(input, directory) {
      const parsed = inner.parse(input, directory)
      return parsed.ok && parsed.value === 0 ? accept(null) : parsed
    },
  }
}

export function oneOf<Word extends string>(words: readonly Word[]): Parser<Word> {
  return {
    json: { enum: words },
    format: String,
    parse(input) {
      const found = words.find((word) => word === input)
      if (found !== undefined) return accept(found)
      return refuseValue(input, anyOf(words), typeof input === 'string' ? nearest(input, words) : null)
    },
  }
}

const TRUE = new Set<unknown>([true, 'true', '1', 'yes', 'on'])
const FALSE = new Set<unknown>([false, 'false', '0', 'no', 'off'])

export const boolean: Parser<boolean> = {
  json: { type: 'boolean' },
  format: String,
  parse(input) {
    if (TRUE.has(input)) return accept(true)
    return FALSE.has(input) ? accept(false) : refuseValue(input, 'true or false')
  },
}

/** A file or directory, made absolute. Whether it is there is asked when the whole config is known. */
export const path: Parser<string> = {
  json: { type: 'string', minLength: 1 },
  format: String,
  parse(input, directory) {
    if (typeof input === 'string' && input !== '' && !input.includes('\0')) return accept(resolve(directory, input))
    return refuseValue(input, 'a path')
  },
}

/** Of several paths a single one may stand alone; `bareNames` stay as they are. */
export function paths(bareNames: 'resolve' | 'keep'): Parser<readonly string[]> {
  return {
    json: { anyOf: [path.json, { type: 'array', items: path.json }] },
    format: (list) => list.join(' '),
    parse: (input, directory) =>
      parseEach([input].flat(), (item) => {
        const bare = bareNames === 'keep' && typeof item === 'string' && !isAbsolute(item) && !/[/\0]|^\.*$/.test(item)
        return bare ? accept(item) : path.parse(item, directory)
      }),
  }
}

/** A list is taken as it is, a text is split at its spaces. */
export const words: Parser<readonly string[]> = {
  json: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  format: (list) => list.map((word) => (/^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word))).join(' '),
  parse(input) {
    if (typeof input === 'string') return splitWords(input)
    if (!Array.isArray(input)) return refuseValue(input, 'a text, or a list of texts')
    return parseEach(input, (item) => {
      if (typeof item === 'number') return accept(String(item))
      return typeof item === 'string' ? accept(item) : refuseValue(item, 'a text')
    })
  },
}

/** Parses every item, so that all mistakes of a list are told at once. */
function parseEach<Value>(
  items: readonly unknown[],
  parse: (item: unknown) => Parsed<Value>,
): Parsed<readonly Value[]> {
  const parsed = items.map((item) => parse(item))
  const refusals = parsed.flatMap((one, index) =>
    one.ok ? [] : one.refusals.map(({ at, problem }) => ({ at: items.length > 1 ? [index, ...at] : at, problem })),
  )
  if (refusals.length > 0) return { ok: false, refusals }
  return accept(parsed.flatMap((one) => (one.ok ? [one.value] : [])))
}

/** Splits as a shell does, but knows no variables: quotes keep spaces, a backslash keeps the next character. */
function splitWords(text: string): Parsed<readonly string[]> {
  const found: string[] = []
  const token = /\s+|"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^\s"'\\]+)/gsy
  let word: string | null = null
  let end = 0
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    end = token.lastIndex
    const [, double, single, escaped, plain] = match
    const piece: string | undefined = double?.replaceAll(/\\(["\\])/g, '$1') ?? single ?? escaped ?? plain
    if (piece !== undefined) word = (word ?? '') + piece
    else if (word !== null) {
      found.push(word)
      word = null
    }
  }
  if (end < text.length) return refuse(`${quote(text)} has a quote that does not end`)
  return accept(word === null ? found : [...found, word])
}
