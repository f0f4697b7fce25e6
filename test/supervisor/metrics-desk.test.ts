import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { MetricsDesk } from '../../src/supervisor/metrics-desk.ts'
import { appLineFormat } from '../../src/telemetry/app-lines.ts'
import { LogDesk } from '../../src/telemetry/log-desk.ts'
import { Labels } from '../../src/telemetry/pretty.ts'
import { Sink } from '../../src/telemetry/sink.ts'

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'metrics-desk-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

function openDesk(directory: string) {
  const sink = new Sink({ outlet: { write: (bytes, done) => done(null, bytes.length), close: () => {} } })
  const format = appLineFormat('json', new Labels(false))
  const logs = new LogDesk({
    console: { sink, isTerminal: false, format, prioritize: false },
    formatJson: format,
    fileReports: () => ({ onTrouble: () => {}, onRecovery: () => {}, dropNotice: () => '' }),
  })
  const complaints: string[] = []
  const desk = new MetricsDesk(directory, logs, (problem) => complaints.push(problem))
  return { desk, logs, complaints }
}

it.each([
  'text',
  { counters: {} },
  { counters: { counted: { a: null }, timed: {} }, growing: {}, requests: { totals: [], told: {} } },
  { counters: { counted: {}, timed: {} }, growing: {}, requests: { totals: [{}], told: {} } },
  { counters: { counted: {}, timed: {} }, growing: {} },
])('counts that make no sense are said once, and begin anew: %j', (measures) => {
  const directory = place()
  writeFileSync(join(directory, 'measures.json'), JSON.stringify({ schema: 1, measures }))
  const first = openDesk(directory)
  expect(first.complaints).toEqual([expect.stringMatching(/measures\.json is damaged; counts begin anew$/)])
  first.desk.measures.rolloutEnded('web', 'promoted')
  first.desk.close()

  const next = openDesk(directory)
  expect(next.complaints).toEqual([])
  expect(next.desk.measures.counters.counted('supervise_rollouts_total')).toMatchObject([{ value: 1 }])
  next.desk.close()
  expect(readFileSync(join(directory, 'measures.json'), 'utf8')).toContain('promoted')
})
