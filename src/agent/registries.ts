// Metrics that the app itself counts with prom-client: finds its registries and reads them when the supervisor asks. An app
// without prom-client pays nothing, and nothing is ever loaded into it.

import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'
import type { MetricsRegistry } from '../protocol/runtime-bridge.ts'
import {
  MOST_BYTES,
  MOST_SERIES,
  type RegistryMetric,
  type RegistryProblem,
  type RegistryReport,
  type RegistryValue,
} from '../protocol/registry-metrics.ts'

const PROM_CLIENT = /[\\/]node_modules[\\/]prom-client[\\/]index\.js$/
/** Reading a huge registry holds the app up: it is looked at again only after so long. */
const REST_MS = 60_000

export class Registries {
  readonly #registered = new Set<MetricsRegistry>()
  #lastTooLarge: { readonly report: RegistryReport; readonly until: number } | null = null

  /** Returns what takes the registry back. */
  add(registry: MetricsRegistry): () => void {
    this.#registered.add(registry)
    return () => void this.#registered.delete(registry)
  }

  get hasAny(): boolean {
    return this.#registered.size > 0
  }

  /** Never rejects. `withDefaults` reads the default registry of every prom-client that the app has loaded as well. */
  async read(withDefaults: boolean): Promise<RegistryReport> {
    if (this.#lastTooLarge !== null && performance.now() < this.#lastTooLarge.until) return this.#lastTooLarge.report
    this.#lastTooLarge = null
    const registries = new Set([...this.#registered, ...(withDefaults ? defaultRegistries() : [])])
    const metrics = new Map<string, RegistryMetric>()
    let problem: RegistryProblem | null = null
    const answers = await Promise.all([...registries].map(metricsOf))
    const size = { series: 0, bytes: 0 }
    for (const answer of answers) {
      if (typeof answer === 'string') {
        problem = { kind: 'failed', text: answer }
        continue
      }
      // Of two with the same name the first counts: they may well be one and the same metric in two registries.
      for (const found of answer) if (!metrics.has(found.name)) metrics.set(found.name, compact(found, size))
    }
    if (size.series <= MOST_SERIES && size.bytes <= MOST_BYTES)
      return { registries: registries.size, metrics: [...metrics.values()], problem }
    const text = `${size.series} series, ${Math.ceil(size.bytes / 1024)} KiB`
    const report: RegistryReport = { registries: registries.size, metrics: [], problem: { kind: 'too-large', text } }
    this.#lastTooLarge = { report, until: performance.now() + REST_MS }
    return report
  }
}

/** Of all copies that are loaded: an app may have several, each with a registry of its own. */
function defaultRegistries(): MetricsRegistry[] {
  const found: MetricsRegistry[] = []
  const { cache } = createRequire(process.execPath)
  for (const file of Object.keys(cache)) {
    if (!PROM_CLIENT.test(file)) continue
    const register: unknown = Reflect.get(Object(cache[file]?.exports), 'register')
    if (isRegistry(register)) found.push(register)
  }
  return found
}

export function isRegistry(value: unknown): value is MetricsRegistry {
  return typeof value === 'object' && value !== null && 'getMetricsAsJSON' in value
}

/** What is thrown in a `collect()` of the app is told, and costs that registry alone. */
async function metricsOf(registry: MetricsRegistry): Promise<readonly FoundMetric[] | string> {
  try {
    // The app's own objects: what they look like is checked where they are used.
    const found = await registry.getMetricsAsJSON()
    return Array.isArray(found) ? found.filter(isMetric) : 'getMetricsAsJSON() gave no list'
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : 'an error that cannot be shown'
  }
}

/** As the app's prom-client has it, of whatever version. */
interface FoundMetric {
  readonly name: string
  readonly help?: unknown
  readonly type: string
  readonly aggregator?: unknown
  readonly values: readonly FoundValue[]
}

interface FoundValue {
  readonly labels?: Readonly<Record<string, unknown>>
  readonly value: number
  readonly metricName?: string
}

function isMetric(found: unknown): found is FoundMetric {
  if (typeof found !== 'object' || found === null) return false
  const { name, type, values }: Partial<Record<keyof FoundMetric, unknown>> = found
  return typeof name === 'string' && typeof type === 'string' && Array.isArray(values)
}

function compact(found: FoundMetric, size: { series: number; bytes: number }): RegistryMetric {
  const { name, type } = found
  const help = typeof found.help === 'string' ? found.help : name
  const aggregator = typeof found.aggregator === 'string' ? found.aggregator : 'sum'
  size.bytes += name.length + help.length + 80
  size.series += found.values.length
  // What is over the limit is not told at all, so it need not be copied.
  if (size.series > MOST_SERIES) return { name, help, type, aggregator, values: [] }
  const values = found.values.map((one) => compactValue(one, name))
  for (const one of values) size.bytes += lengthOf(one)
  return { name, help, type, aggregator, values }
}

function compactValue({ labels = {}, value, metricName }: FoundValue, name: string): RegistryValue {
  const plain: Record<string, string | number> = {}
  for (const [label, of] of Object.entries(labels)) plain[label] = typeof of === 'number' ? of : textOf(of)
  return metricName === undefined || metricName === name
    ? { labels: plain, value }
    : { labels: plain, value, metricName }
}

/** prom-client takes anything for a label's value. */
function textOf(of: unknown): string {
  return typeof of === 'string' ? of : (JSON.stringify(of) ?? '')
}

function lengthOf({ labels, metricName }: RegistryValue): number {
  let length = 45 + (metricName?.length ?? 0)
  for (const [label, of] of Object.entries(labels)) length += label.length + String(of).length + 6
  return length
}
