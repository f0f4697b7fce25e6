// One row of the result: what was measured, for whom, and what supervise had to reach.

import type { ColumnName } from './contenders/contender.ts'
import { median } from './statistics.ts'

export type Unit = 'req/s' | 'ns' | 'µs' | 'ms' | 's' | 'MB' | '%' | 'ratio' | 'requests' | 'count'

export interface Cell {
  readonly value: number
  readonly samples: readonly number[]
  /** What the number alone does not say. */
  readonly note?: string
}

export type Cells = Readonly<Partial<Record<ColumnName, Cell>>>

export interface Target {
  readonly text: string
  /** What supervise reached, in the target's own terms. */
  readonly reached: string
  readonly met: boolean
}

export interface Figure {
  readonly what: string
  readonly unit: Unit
  readonly cells: Cells
  readonly targets: readonly Target[]
}

/** The median stands for all samples. */
export function cell(samples: readonly number[], note?: string): Cell {
  return { value: median(samples), samples, ...(note !== undefined && { note }) }
}

export function atMost(cells: Cells, limit: number, unit: string): Target {
  return noMoreThan(limit, mustHave(cells, 'supervise').value, unit)
}

/**
 * The ratio is taken turn by turn, so that what the machine did in one turn falls on both; its median is judged. Higher
 * figures are better ones.
 */
export function atLeastTimes(cells: Cells, factor: number, other: ColumnName): Target {
  const theirs = mustHave(cells, other).samples
  const ratios = mustHave(cells, 'supervise').samples.flatMap((own, turn) => {
    const their = theirs[turn]
    return their === undefined ? [] : [own / their]
  })
  const ratio = median(ratios)
  return { text: `≥ ${factor} × ${LABELS[other]}`, reached: `${roundedDown(ratio)} ×`, met: ratio >= factor }
}

export function below(cells: Cells, other: ColumnName): Target {
  const [own, their] = [mustHave(cells, 'supervise').value, mustHave(cells, other).value]
  return { text: `below ${LABELS[other]}`, reached: `${(own / their).toFixed(2)} ×`, met: own < their }
}

/** A figure that only supervise has. */
export function ownFigure(
  what: string,
  unit: Unit,
  value: number,
  { target, note }: { readonly target?: Target; readonly note?: string } = {},
): Figure {
  return { what, unit, cells: { supervise: cell([value], note) }, targets: target === undefined ? [] : [target] }
}

export function exactly(wanted: number, value: number): Target {
  return { text: String(wanted), reached: String(value), met: value === wanted }
}

/** The limit as people say it; what is judged is not rounded. */
export function noMoreThan(limit: number, value: number, unit: string): Target {
  return { text: `≤ ${limit}${unit}`, reached: `${round(value)}${unit}`, met: value <= limit }
}

export const LABELS: Readonly<Record<ColumnName, string>> = {
  node: 'plain node',
  cluster: 'node:cluster',
  pm2: 'PM2',
  nginx: 'nginx, reload',
  haproxyReload: 'HAProxy, reload',
  haproxyTuned: 'HAProxy, tuned reload',
  haproxySocket: 'HAProxy, socket',
  supervise: 'supervise',
}

function mustHave(cells: Cells, name: ColumnName): Cell {
  const found = cells[name]
  if (found === undefined) throw new Error(`Cannot judge a figure without one for ${name}`)
  return found
}

/** So that what just misses its target does not look as if it met it. */
function roundedDown(ratio: number): string {
  return (Math.floor(ratio * 100) / 100).toFixed(2)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
