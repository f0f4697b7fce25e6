// What a rehearsal of failures would do, and what users saw of one, as text.

import type { ChaosOutlook, ProgressLine } from '../control/messages.ts'
import type { ChaosReport, FaultReport, Figures } from './chaos-report.ts'
import { formatDuration, formatLatency } from './durations.ts'
import type { Paint } from './paint.ts'
import { renderTable, type Column } from './table.ts'

/** One line of the rehearsal under way; null for what is not for people. */
export function renderChaosLine(line: ProgressLine): string | null {
  if (line.type === 'begin') return `${line.app}: ${line.text}; Ctrl-C ends it at once`
  if (line.type !== 'fault') return null
  const { app, n, state, text } = line
  return `${app}: ${n}. ${state === 'began' ? text : `${STATES[state]}: ${text}`}`
}

const STATES: Readonly<Record<FaultReport['state'], string>> = {
  began: 'not over',
  recovered: 'recovered',
  notRecovered: 'not recovered',
  givenUp: 'given up',
}

export interface WantedKinds {
  readonly kinds: readonly string[]
  /** Somebody named them: what is not possible is refused, rather than left out. */
  readonly areNamed: boolean
}

/** What would be done. */
export function renderOutlook(
  { faults, busy }: ChaosOutlook,
  { kinds, areNamed }: WantedKinds,
  timing: string,
): string[] {
  const wanted = faults.filter(({ kind }) => kinds.includes(kind))
  const possible = wanted.filter(({ whyNot }) => whyNot === null)
  return [
    `${timing}, one fault at a time, each on a worker that serves beside another:`,
    ...possible.map(({ kind, text, lengthMs }) => {
      const length = lengthMs === 0 ? '' : ` (up to ${lengthMs / 1000} s)`
      return `  ${kind.padEnd(10)} ${text}${length}`
    }),
    ...wanted.flatMap(({ kind, whyNot }) =>
      whyNot === null ? [] : [`  ${kind.padEnd(10)} ${areNamed ? 'refused' : 'left out'}: ${whyNot}`],
    ),
    ...(busy === null ? [] : [`Not now: a ${busy} is under way.`]),
  ]
}

const COLUMNS: readonly Column[] = [
  { title: '', align: 'right' },
  { title: 'FAULT' },
  { title: 'WORKER', align: 'right' },
  { title: 'RECOVERED', align: 'right' },
  { title: 'ASKED', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'P50', align: 'right' },
  { title: 'P99', align: 'right' },
  { title: 'SEEN' },
]

export function renderReport(app: string, report: ChaosReport, paint: Paint): string[] {
  const { passed, text, before, faults } = report
  const rows = [['', 'before', '', '', ...figureCells(before), ''], ...faults.map(faultCells)]
  const mark = passed ? paint('green', '✓') : paint('red', '✗')
  return [...renderTable(COLUMNS, rows), '', `${mark} ${app}: ${text}`]
}

function faultCells(fault: FaultReport): string[] {
  const { n, kind, worker, tookMs, state } = fault
  const recovered = tookMs === null ? STATES[state] : formatDuration(tookMs)
  return [String(n), kind, worker === null ? '' : String(worker), recovered, ...figureCells(fault), seenText(fault)]
}

function figureCells({ asked, failed, p50Ms, p99Ms }: Figures): string[] {
  return [String(asked), String(failed), latency(p50Ms), latency(p99Ms)]
}

function latency(ms: number | null): string {
  return ms === null ? '' : formatLatency(ms)
}

const WORDS: Readonly<Record<string, string>> = { status: '5xx', timeout: 'time-out' }

function seenText({ failures, inFlight, crash }: FaultReport): string {
  const kinds = Object.entries(failures).map(([kind, count]) => `${count} ${WORDS[kind] ?? kind}`)
  const expected = inFlight === 0 ? [] : [`${inFlight} of them under way in it`]
  return [...kinds, ...expected, ...(crash === null ? [] : [`crash ${crash}`])].join(', ')
}
