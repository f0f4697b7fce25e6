import { describe, expect, it } from 'vitest'
import { familiesOf } from '../../src/telemetry/families.ts'
import { expose, histogramValues, withAllLabels, type Family } from '../../src/telemetry/exposition.ts'

function family(value: number): Family {
  return { name: 'a', help: 'A.', type: 'gauge', values: [{ labels: {}, value }] }
}

describe('expose()', () => {
  it('writes help, type, labels and values, with what is special in a label escaped', async () => {
    const text = await expose([
      {
        name: 'supervise_things_total',
        help: 'Things.',
        type: 'counter',
        values: [{ labels: { app: 'a "b"\n\\c' }, value: 3 }],
      },
      { name: 'supervise_nothing', help: 'None.', type: 'gauge', values: [] },
    ])
    expect(text).toBe(
      '# HELP supervise_things_total Things.\n# TYPE supervise_things_total counter\nsupervise_things_total{app="a \\"b\\"\\n\\\\c"} 3\n',
    )
  })

  it('keeps the first of two families of one name', async () => {
    expect(await expose([family(1), family(2)])).toContain('a 1\n')
    expect(await expose([family(1), family(2)])).not.toContain('a 2')
  })
})

describe('histogramValues()', () => {
  it('counts up from bound to bound', () => {
    const values = histogramValues('d', { app: 'web' }, { bounds: [1, 2], counts: [3, 1, 2], sum: 9 })
    expect(values.map(({ metricName, labels, value }) => [metricName, labels['le'], value])).toEqual([
      ['d_bucket', 1, 3],
      ['d_bucket', 2, 4],
      ['d_bucket', '+Inf', 6],
      ['d_sum', undefined, 9],
      ['d_count', undefined, 6],
    ])
  })

  it('has the labels of all its lines in each, as text and as data', async () => {
    const labels = { app: 'web', group: 'blue' }
    const values = histogramValues('d', labels, { bounds: [1], counts: [3, 1], sum: 9 })
    const families: Family[] = [{ name: 'd', help: 'D.', type: 'histogram', values }]
    expect((await expose(familiesOf('web', families))).split('\n').slice(2, -1)).toEqual([
      'd_bucket{le="1",app="web",group="blue"} 3',
      'd_bucket{le="+Inf",app="web",group="blue"} 4',
      'd_sum{app="web",group="blue"} 9',
      'd_count{app="web",group="blue"} 4',
    ])
    expect(withAllLabels(families)[0]?.values).toEqual([
      { metricName: 'd_bucket', labels: { le: 1, ...labels }, value: 3 },
      { metricName: 'd_bucket', labels: { le: '+Inf', ...labels }, value: 4 },
      { metricName: 'd_sum', labels, value: 9 },
      { metricName: 'd_count', labels, value: 4 },
    ])
  })
})

function ofApps(name: string, ...apps: readonly string[]): Family {
  const values = apps.map((app) => ({ labels: app === '' ? {} : { app }, value: 1 }))
  return { name, help: 'A.', type: 'gauge', values }
}

it('familiesOf() leaves out what is counted of other apps and of the instance itself', () => {
  const found = familiesOf('web', [ofApps('a', 'web', 'api'), ofApps('b', ''), ofApps('c', 'api')])
  expect(found).toEqual([ofApps('a', 'web')])
})
