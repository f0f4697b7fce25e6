import { describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/paint.ts'
import { textWidth } from '../../src/cli/text-width.ts'
import { EMPTY, recordEvent, recordStatuses, type TopModel } from '../../src/cli/top-model.ts'
import { renderTop, sparkline } from '../../src/cli/top-view.ts'
import { app, instance, worker } from './statuses.ts'

const event = {
  seq: 1,
  time: '2026-01-01T00:00:00.000Z',
  type: 'started',
  app: 'web',
  text: '2 workers serve',
  cause: 'test',
  actor: { kind: 'supervisor' as const, name: null },
}
const one = recordEvent(recordStatuses(EMPTY, [instance({ apps: [app()] })]), event)
const many = recordStatuses(EMPTY, [
  instance({
    apps: [app({ name: '名前の長いアプリ', workers: Array.from({ length: 60 }, (_, at) => worker(at + 1)) })],
  }),
])

describe('renderTop()', () => {
  it.each([
    [80, 24],
    [200, 50],
    [20, 10],
    [40, 5],
    [1, 1],
  ])('fits %i × %i, whatever there is to show', (columns, rows) => {
    for (const model of [EMPTY, one, many, { ...many, selected: 59 }, { ...one, mode: { kind: 'help' } } as TopModel]) {
      const lines = renderTop(model, { columns, rows }, plain)
      expect(lines.length).toBeLessThanOrEqual(rows)
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns)
    }
  })

  it('shows apps, workers, the last events and the keys', () => {
    const text = renderTop(one, { columns: 120, rows: 24 }, plain).join('\n')
    expect(text).toMatch(/1 app {2}2 workers/)
    expect(text).toMatch(/web +r1 1\.4\.0 +online/)
    expect(text).toMatch(/› +web +1 +serving +412/)
    expect(text).toContain('2 workers serve')
    expect(text).toContain('q quit')
  })

  it('leaves columns out whole where there is no room, and cuts names', () => {
    const long = recordStatuses(EMPTY, [instance({ apps: [app({ name: 'checkout-api-with-a-long-name' })] })])
    const lines = (columns: number) => renderTop(long, { columns, rows: 24 }, plain)
    expect(lines(200)[1]).toMatch(/^APP +RELEASE +STATE +REQ\/S +5XX +P50 +P99 +MEMORY$/)
    expect(lines(200)[4]).toMatch(/^ +APP +ID +STATE +PID +CPU +MEMORY +CONNS +DELAY +RESTARTS +UPTIME$/)
    expect(lines(80)[4]).toMatch(/^ +APP +ID +STATE .*RESTARTS/)
    expect(lines(80)[5]).toMatch(/^› {2}checkout-\S*… +1 +serving/)
    expect(lines(20)[1]).toMatch(/^APP +STATE( +REQ\/S)?$/)
    expect(lines(20)[2]).toMatch(/^che\S*… +online/)
    expect(lines(20)[4]).toMatch(/^ +APP +ID +STATE$/)
    expect(lines(20)[5]).toMatch(/^› {2}che… {3}1 {2}serving$/)
  })

  it('keeps the selected worker in sight', () => {
    for (const selected of [0, 30, 59]) {
      const text = renderTop({ ...many, selected }, { columns: 120, rows: 24 }, plain).join('\n')
      expect(text).toMatch(new RegExp(`› .* ${selected + 1} +serving`))
    }
  })

  it('asks in the last line', () => {
    const mode = { kind: 'confirm', action: { kind: 'reload', instance: 'web', app: 'web' } } as const
    expect(renderTop({ ...one, mode }, { columns: 80, rows: 24 }, plain).at(-1)).toBe('reload web? y/n')
  })
})

describe('sparkline()', () => {
  it('draws the last values, of a fixed most or of the largest', () => {
    expect(sparkline([0, 50, 100], 3, 100)).toBe('▁▅█')
    expect(sparkline([1, 2], 4, null)).toBe('  ▅█')
    expect(sparkline([], 3, 100)).toBe('   ')
    expect(sparkline([5], 0, 100)).toBe('')
  })
})
