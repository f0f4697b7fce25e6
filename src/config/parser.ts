// What every option's parser looks like, and how a refused value is worded. The parsers themselves are in parsers.ts.

/** A fragment of the JSON Schema that editors use. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What is wrong with a value, in words that follow the place: `0 is not allowed; write …`. */
export interface Refusal {
  /** Where inside the value; empty is the value itself. */
  readonly at: readonly (string | number)[]
  readonly problem: string
}

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusals: readonly Refusal[] }

/** One parser for flags, variables and files alike: text is always understood, typed values where a file can have them. */
export interface Parser<Value> {
  readonly json: JsonSchema
  /** Relative paths belong to `directory`. */
  parse(input: unknown, directory: string): Parsed<Value>
  /** The value as a user would write it. */
  format(value: Value): string
}

export function accept<Value>(value: Value): Parsed<Value> {
  return { ok: true, value }
}

export function refuse(problem: string, at: Refusal['at'] = []): { readonly ok: false; readonly refusals: Refusal[] } {
  return { ok: false, refusals: [{ at, problem }] }
}

/** Refuses `input` with what may be written instead, and what may have been meant. */
export function refuseValue(input: unknown, allowed: string, meant: readonly string[] | string | null = []) {
  const suggestions = meant === null ? [] : [meant].flat()
  return refuse(`${quote(input)} is not allowed; write ${allowed}${didYouMean(suggestions)}`)
}

export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : `. Did you mean ${suggestions.map((text) => `"${text}"`).join(' or ')}?`
}

/** A value as it would be written, cut where it gets long. */
export function quote(value: unknown): string {
  // JSON has no word for these: they come from configs that are JavaScript.
  if (value === undefined || typeof value === 'number') return String(value)
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `"a", "b" or "c"`. */
export function anyOf(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
