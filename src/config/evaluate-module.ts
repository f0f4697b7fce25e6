// Runs in a short-lived process of its own: imports one config file and writes what it exports, as JSON, to descriptor 3.
// It must import nothing of this project, and lets every exception kill it, so that Node prints where it happened.

import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** A value that JSON cannot carry, and where it is. */
interface Unfit {
  readonly at: readonly (string | number)[]
  readonly kind: string
}

function toPlain(value: unknown, at: Unfit['at'], unfit: Unfit[], above: readonly unknown[]): unknown {
  const kind = kindOfUnfit(value, above)
  if (kind !== null) {
    unfit.push({ at, kind })
    return undefined
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item, index) => toPlain(item, [...at, index], unfit, [...above, value]))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, toPlain(item, [...at, key], unfit, [...above, value])]),
  )
}

function kindOfUnfit(value: unknown, above: readonly unknown[]): string | null {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value !== 'object' || value === null) return null
  if (above.includes(value)) return 'an object inside itself'
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value) || prototype === Object.prototype || prototype === null) return null
  return `a ${value.constructor?.name ?? 'strange object'}`
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

const file = process.argv[2] ?? ''
const loaded: unknown = await import(pathToFileURL(file).href)
// TypeScript compiled to CommonJS puts the default export one level deeper.
const outer = property(loaded, 'default')
let exported = property(outer, '__esModule') === true ? property(outer, 'default') : outer
if (typeof exported === 'function') exported = Reflect.apply(exported, undefined, [{ env: process.env }])
const unfit: Unfit[] = []
const value = toPlain(await exported, [], unfit, [])
writeSync(3, JSON.stringify({ value, unfit }))
// A config that opened a connection would otherwise keep this process alive.
process.exit(0)
