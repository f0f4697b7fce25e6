// What a metric of an app may be called among ours, and what is said when it may not.

import {
  MOST_BYTES,
  MOST_SERIES,
  type RegistryMetric,
  type RegistryProblem,
  type RegistryValue,
} from '../protocol/registry-metrics.ts'
import { METRICS } from './metric-table.ts'

/** Something of an app's own metrics that is left out or called otherwise; told once of each subject. */
export type MergeProblem =
  | { readonly kind: 'name' | 'label' | 'invalid' | 'room'; readonly subject: string }
  | { readonly kind: 'type'; readonly subject: string; readonly was: string; readonly is: string }
  | (RegistryProblem & { readonly subject: '' })
  | { readonly kind: 'missing'; readonly subject: '' }

const TYPES = ['counter', 'gauge', 'histogram', 'summary']
/** Labels that say whose a metric is. */
const OURS: readonly string[] = ['app', 'group', 'release']
const PART = /_(?:bucket|sum|count)$/
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/

/** Null when it is left out. Adds to `problems` what a person should know. */
export function checkMetric(metric: RegistryMetric, problems: MergeProblem[]): RegistryMetric | null {
  const { name, type, values } = metric
  if (isOurs(name)) {
    problems.push({ kind: 'name', subject: name })
    return null
  }
  if (!NAME.test(name) || !TYPES.includes(type)) {
    problems.push({ kind: 'invalid', subject: name })
    return null
  }
  // What is no number has become null on its way here.
  const numbers = values.filter(({ value }) => Number.isFinite(value))
  const renamed = numbers.map((value) => checkLabels(value, name, problems)).filter((value) => value !== null)
  return { ...metric, values: renamed }
}

function isOurs(name: string): boolean {
  return name.startsWith('supervise_') || name in METRICS || name.replace(PART, '') in METRICS
}

/** As Prometheus itself does with labels of a target that it sets by itself. */
function checkLabels(value: RegistryValue, metric: string, problems: MergeProblem[]): RegistryValue | null {
  const names = Object.keys(value.labels)
  if (names.every((name) => LABEL.test(name) && !OURS.includes(name))) return value
  const labels: Record<string, string | number> = {}
  for (const [name, of] of Object.entries(value.labels)) {
    if (!LABEL.test(name)) {
      problems.push({ kind: 'invalid', subject: metric })
      return null
    }
    if (OURS.includes(name)) problems.push({ kind: 'label', subject: name })
    labels[OURS.includes(name) ? freeName(`exported_${name}`, names) : name] = of
  }
  return { ...value, labels }
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`exported_${name}`, taken) : name
}

/** What it is and what to do about it. */
export function mergeWords(problem: MergeProblem): string {
  switch (problem.kind) {
    case 'name':
      return `the app's metric ${problem.subject} is left out of the metrics: supervise has one of that name; call the app's otherwise`
    case 'label':
      return `the label ${problem.subject} of the app's metrics is shown as exported_${problem.subject}: ${problem.subject} says whose a metric is; call the app's otherwise`
    case 'type':
      return `the app's metric ${problem.subject} is left out of the metrics where it is a ${problem.was}: elsewhere it is a ${problem.is}; give one of them another name`
    case 'invalid':
      return `the app's metric ${problem.subject.slice(0, 100)} is left out of the metrics: Prometheus could not read it; look at its name, its type and its labels`
    case 'room':
      return `new series of the app's metric ${problem.subject} are left out of the metrics: there are too many; give it labels with fewer values`
    case 'too-large':
      return `the app's own metrics are left out: ${problem.text} of one worker, where ${MOST_SERIES} series and ${MOST_BYTES / 1024} KiB are the most; give them labels with fewer values`
    case 'failed':
      return `a registry of the app is left out of the metrics: ${problem.text}; look at the collect() of its metrics`
    case 'missing':
      return 'the app has no metrics of its own to merge: it has not loaded prom-client, or has it in a bundle; give its registry to metrics.register of supervise/runtime then'
  }
}
