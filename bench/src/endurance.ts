// The results of `npm run soak`, which the tests themselves write, as they are put into docs/benchmarks.md.

import { existsSync, readdirSync, readFileSync } from 'node:fs'

const RESULTS = new URL('../results/', import.meta.url)

export interface MatrixResult {
  readonly at: string
  readonly operation: string
  readonly cases: number
  readonly converged: number
  /** Requests that killed workers had under way. */
  readonly cut: number
  readonly slowestMs: number
}

interface SoakResult {
  readonly at: string
  readonly minutes: number
  readonly seed: number
  readonly kills: Readonly<Record<string, number>>
  readonly reloads: { readonly ok: number; readonly refused: number; readonly cut: number }
  readonly requests: { readonly answered: number; readonly cut: number; readonly lost: number }
  readonly absenceMs: { readonly median: number; readonly most: number }
  readonly use: Readonly<Record<string, { readonly first: number; readonly last: number }>>
}

/** Null when there was no such run yet. */
export function renderMatrix(): string | null {
  const folder = new URL('matrix/', RESULTS)
  if (!existsSync(folder)) return null
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  const results = names.map((name): MatrixResult => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))
  const sum = (read: (result: MatrixResult) => number) => results.reduce((total, result) => total + read(result), 0)
  const all = {
    operation: '**all**',
    cases: sum((r) => r.cases),
    converged: sum((r) => r.converged),
    cut: sum((r) => r.cut),
  }
  const slowestMs = Math.max(...results.map((result) => result.slowestMs))
  const dates = [...new Set(results.map(({ at }) => at.slice(0, 10)))].toSorted()
  return [
    `${dates.join(', ')}.`,
    '',
    '| operation | cases | converged | lost requests | requests in killed workers | slowest, s |',
    '|---|---|---|---|---|---|',
    ...results.map(row),
    row({ ...all, slowestMs }),
  ].join('\n')
}

function row({ operation, cases, converged, cut, slowestMs }: Omit<MatrixResult, 'at'>): string {
  return `| ${operation} | ${cases} | ${converged} | 0 | ${cut} | ${(slowestMs / 1_000).toFixed(1)} |`
}

export function renderSoak(): string | null {
  const file = new URL('soak.json', RESULTS)
  if (!existsSync(file)) return null
  const { at, minutes, seed, kills, reloads, requests, absenceMs, use }: SoakResult = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  const killed = Object.entries(kills).map(([who, count]) => `${who} ${count}`)
  return [
    `${at.slice(0, 10)}, ${minutes} min, seed ${seed}. SIGKILLs: ${killed.join(', ')}. Reloads: ${reloads.ok} done, ${reloads.refused} refused since a new worker was killed, ${reloads.cut} cut short with their supervisor. Answered requests: ${requests.answered}; in killed workers: ${requests.cut}; lost: ${requests.lost}. Another supervisor answered after ${absenceMs.median} ms in the median, ${absenceMs.most} ms at most.`,
    '',
    '| median of | first third | last third |',
    '|---|---|---|',
    ...Object.entries(use).map(([what, { first, last }]) => `| ${what} | ${round(first)} | ${round(last)} |`),
  ].join('\n')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
