// The result as a Markdown table that can be read in a terminal too.

import { COLUMNS, type ColumnName } from './contenders/contender.ts'
import { LABELS, type Cell, type Figure, type Unit } from './figure.ts'
import type { MeasureResult, Result } from './result.ts'

/** In columns for a terminal; on a page, where a change of one width would change every line, without. */
export function renderTable(measures: readonly MeasureResult[], where: 'terminal' | 'page'): string {
  const columns = columnsOf(measures)
  const head = ['measure', ...columns.map((name) => LABELS[name]), 'target for supervise', 'reached', '']
  const rows = measures.flatMap(({ title, figures, failure }) =>
    failure === null
      ? figures.map((figure) => rowOf(figure, columns))
      : [[`${title}: no figure`, ...columns.map(() => ''), '', '', '✗']],
  )
  if (where === 'page') return [head, head.map(() => '---'), ...rows].map(compactLine).join('\n')
  const widths = head.map((name, column) => Math.max(...[name, ...rows.map((row) => row[column] ?? '')].map(widthOf)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - widthOf(text))).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(Math.max(3, width))).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** Those that have any figure. */
function columnsOf(measures: readonly MeasureResult[]): readonly ColumnName[] {
  const figures = measures.flatMap((measure) => measure.figures)
  return COLUMNS.filter((name) => figures.some(({ cells }) => cells[name] !== undefined))
}

function compactLine(cells: readonly string[]): string {
  return `|${cells.map((text) => (text === '' ? ' ' : ` ${text} `)).join('|')}|`
}

/** What the numbers alone do not say, one line each. */
export function renderNotes(measures: readonly MeasureResult[]): string {
  const notes = measures.flatMap(({ figures }) =>
    figures.flatMap(({ what, cells }) =>
      COLUMNS.flatMap((name) => {
        const note = cells[name]?.note
        return note === undefined || note === '' ? [] : [`- ${what}; ${LABELS[name]}: ${note}`]
      }),
    ),
  )
  return notes.join('\n')
}

export function renderFailures(measures: readonly MeasureResult[]): string {
  return measures.flatMap(({ id, failure }) => (failure === null ? [] : [`${id}: ${failure}`])).join('\n')
}

export function renderConditions({ at, tookSeconds, rounds, machine, versions }: Result): string {
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GB`
  return [
    `${at.slice(0, 10)}, ${rounds} rounds in ${Math.round(tookSeconds / 60)} min.`,
    `Machine: ${machine.cpus} × ${machine.cpu}, ${memory}, ${machine.kernel}, CPUs shared ${machine.scheduling}; load before the run ${machine.loadBefore}.`,
    `Versions: supervise ${versions.supervise} (${versions.commit}), Node ${versions.node}, PM2 ${versions.pm2}, wrk ${versions.wrk}.`,
  ].join('\n')
}

function rowOf({ what, unit, cells, targets }: Figure, columns: readonly ColumnName[]): string[] {
  const met = targets.map((target) => (target.met ? '✓' : '✗')).join(' ')
  return [
    `${what}${SUFFIX[unit]}`,
    ...columns.map((name) => shown(cells[name], unit)),
    targets.map(({ text }) => text).join(', '),
    targets.map(({ reached }) => reached).join(', '),
    met,
  ]
}

const SUFFIX: Readonly<Record<Unit, string>> = {
  'req/s': ', req/s',
  ns: ', ns',
  µs: ', µs',
  ms: ', ms',
  s: ', s',
  MB: ', MB',
  '%': ', % of a core',
  ratio: '',
  requests: '',
  count: '',
}

const DIGITS: Readonly<Record<Unit, number>> = {
  'req/s': 0,
  ns: 0,
  µs: 1,
  ms: 1,
  s: 2,
  MB: 1,
  '%': 2,
  ratio: 2,
  requests: 0,
  count: 0,
}

function shown(cell: Cell | undefined, unit: Unit): string {
  if (cell === undefined) return '–'
  const digits = DIGITS[unit]
  return cell.value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Every sign used here is one column wide. */
function widthOf(text: string): number {
  return text.length
}
