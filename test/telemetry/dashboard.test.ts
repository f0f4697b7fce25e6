import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROWS } from '../../scripts/grafana-dashboard.ts'
import { METRICS } from '../../src/telemetry/metric-table.ts'
import { ROOT } from '../support/releases.ts'

const known = new Set(
  Object.entries(METRICS).flatMap(([name, { type }]) =>
    type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
  ),
)

function unknownIn(text: string): readonly string[] {
  const named = text.match(/\b(?:supervise|http_server)_[a-z_]+/g) ?? []
  return named.filter((name) => !known.has(name))
}

it('the dashboard asks for metrics that there are', () => {
  const queries = ROWS.flatMap(({ panels }) => panels.flatMap(({ queries: all }) => all.map(([query]) => query)))
  expect(queries.length).toBeGreaterThan(20)
  expect(queries.flatMap(unknownIn)).toEqual([])
})

it('the alerts look at metrics that there are', () => {
  const text = readFileSync(join(ROOT, 'grafana/alerts.yaml'), 'utf8')
  const expressions = text.split('\n').filter((line) => !line.trimStart().startsWith('#'))
  expect(expressions.flatMap(unknownIn)).toEqual([])
})
