// The table of options as a valibot schema: checks an app of a config file as a whole and finds every mistake at once.
// Loaded only where a config is read: see docs/decisions/002-valibot.md.

import * as v from 'valibot'
import { OPTION_KEYS, OPTIONS } from './options.ts'
import type { NestedOptions, OptionKey, OptionSpec } from './options.ts'
import { anyOf, didYouMean, isRecord, quote } from './parser.ts'
import { FOREIGN_NAMES, nearest } from './suggest.ts'

export type Path = readonly (string | number)[]

export interface CheckedApp {
  /** What the file says, parsed. */
  readonly values: ReadonlyMap<string, unknown>
  readonly problems: readonly { readonly at: Path; readonly problem: string }[]
}

// `satisfies` names a nested option that is missing here.
const NESTED = Object.keys({
  liveness: 0,
  backoff: 0,
  hooks: 0,
  log: 0,
  metrics: 0,
  tracing: 0,
  watch: 0,
} satisfies Record<keyof NestedOptions, 0>)

/** One value: the option's own parser, whose refusals become valibot's issues. */
function leaf(key: OptionKey, directory: string) {
  const { parser }: OptionSpec<unknown> = OPTIONS[key]
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const parsed = parser.parse(dataset.value, directory)
      if (parsed.ok) return parsed.value
      for (const { at, problem } of parsed.refusals) {
        const path = at.map((part) => pathItem(dataset.value, part))
        const [first, ...rest] = path
        addIssue(first === undefined ? { message: problem } : { message: problem, path: [first, ...rest] })
      }
      return NEVER
    }),
  )
}

function pathItem(input: unknown, key: string | number): v.UnknownPathItem {
  return { type: 'unknown', origin: 'value', input, key, value: undefined }
}

/** valibot's own strict object tells of the first unknown key only. */
function strict<Entries extends v.ObjectEntries>(entries: Entries) {
  return v.objectWithRest(entries, v.never())
}

function entriesFor(keys: readonly OptionKey[], directory: string) {
  return Object.fromEntries(keys.map((key) => [key.split('.').at(-1) ?? key, v.optional(leaf(key, directory))]))
}

/** An app as a file has it. Relative paths belong to `directory`. */
export function appSchema(directory: string) {
  const plain = OPTION_KEYS.filter((key) => !key.includes('.') && !NESTED.includes(key))
  const nested = NESTED.map((parent) => {
    const inner = strict(entriesFor(keysBelow(parent), directory))
    const either = parent === 'watch' ? v.lazy((input) => (isRecord(input) ? inner : leaf('watch', directory))) : inner
    return [parent, v.optional(either)] as const
  })
  return strict({ $schema: v.optional(v.unknown()), ...entriesFor(plain, directory), ...Object.fromEntries(nested) })
}

function keysBelow(parent: string): readonly OptionKey[] {
  return OPTION_KEYS.filter((key) => key.startsWith(`${parent}.`))
}

/** Parses an app as a file has it, and says all that is wrong with it. */
export function checkApp(app: unknown, directory: string): CheckedApp {
  // A key that is there without a value is as good as left out: `maxMemory: process.env.LIMIT`.
  const result = v.safeParse(appSchema(directory), withoutUndefined(app))
  const problems = (result.issues ?? []).map((issue) => {
    const at = (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)))
    return { at, problem: wordIssue(issue, at) }
  })
  const values = new Map<string, unknown>()
  if (isRecord(result.output)) collectValues(result.output, values)
  // valibot leaves a refused value as it was.
  for (const { at } of problems) {
    for (const length of [1, 2]) values.delete(at.slice(0, length).join('.'))
  }
  return { values, problems }
}

function withoutUndefined(app: unknown): unknown {
  return isRecord(app) ? Object.fromEntries(Object.entries(app).filter(([, value]) => value !== undefined)) : app
}

function collectValues(output: Readonly<Record<string, unknown>>, values: Map<string, unknown>): void {
  for (const key of OPTION_KEYS) {
    const [parent = key, child] = key.split('.')
    const value = output[parent]
    if (child === undefined) {
      if (value !== undefined && !(NESTED.includes(key) && isRecord(value))) values.set(key, value)
    } else if (isRecord(value) && value[child] !== undefined) values.set(key, value[child])
  }
  // An object of settings for watching is a wish to watch.
  if (isRecord(output['watch'])) values.set('watch', true)
}

function wordIssue(issue: v.BaseIssue<unknown>, at: Path): string {
  if (issue.type === 'never') return unknownKey(at)
  if (issue.type !== 'object_with_rest') return issue.message
  const keys = keysBelow(String(at.at(-1))).map((key) => key.split('.')[1] ?? key)
  return keys.length === 0
    ? `${quote(issue.input)} is not an app; write an object such as { "script": "app.js" }`
    : `${quote(issue.input)} is not allowed; write an object with ${anyOf(keys)}`
}

function unknownKey(at: Path): string {
  const key = String(at.at(-1))
  const parent = at.length > 1 ? String(at.at(-2)) : null
  const siblings =
    parent === null
      ? [...new Set(OPTION_KEYS.map((option) => option.split('.')[0] ?? option))]
      : keysBelow(parent).map((option) => option.split('.')[1] ?? option)
  const meant = nearest(key, siblings)
  const foreign = parent === null ? FOREIGN_NAMES[key] : undefined
  if (foreign !== undefined) return `is not an option here; ${foreign}`
  if (parent === null && (key === 'instance' || key === 'apps')) {
    return 'is not an option of an app; write { "instance": …, "apps": [ … ] } around the apps'
  }
  if (meant !== null) return `is not an option${didYouMean([meant])}`
  return `is not an option; there are ${siblings.join(', ')}`
}
