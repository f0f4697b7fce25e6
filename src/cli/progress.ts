// The picture of an operation under way, from the supervisor's lines: recorded, then drawn as a frame or told as lines.
// Pure: the clock comes in as `now`, and where it is written is live-frame.ts's business.

import type { ProgressLine, WorkerStep } from '../control/messages.ts'
import { formatDuration, formatElapsed } from './durations.ts'
import type { Colour, Paint } from './paint.ts'
import { plainStage, recordStage, renderStage, type StageRow } from './progress-stages.ts'
import { oneLine, padEnd, padStart, textWidth, truncate } from './text-width.ts'

export interface ProgressRow {
  readonly step: WorkerStep
  /** When it got into its state. */
  readonly since: number
}

export interface AppProgress {
  readonly app: string
  readonly text: string
  readonly workers: number
  readonly queuedBehind: string | null
  readonly ended: boolean
  readonly rows: readonly ProgressRow[]
  readonly stages: readonly StageRow[]
}

export type Progress = readonly AppProgress[]

export interface FrameSize {
  readonly columns: number
  readonly rows: number
}

const HINT = '(Ctrl-C detaches)'
const FIRST_COLUMN = 18
/** Narrower than this the hint would cost more than it tells. */
const HINT_COLUMNS = 60

export function recordLine(progress: Progress, line: ProgressLine, now: number): Progress {
  // A rehearsal has a view of its own.
  if (line.type === 'rehearsal' || line.type === 'fault') return progress
  if (line.type === 'result') return updateApp(progress, line.result.app, (app) => ({ ...app, ended: true }))
  if (line.type === 'queued') return updateApp(progress, line.app, (app) => ({ ...app, queuedBehind: line.behind }))
  if (line.type === 'begin') {
    const { text, workers } = line
    return updateApp(progress, line.app, (app) => ({ ...app, text, workers, queuedBehind: null }))
  }
  if (line.type === 'stage') {
    const { type: _type, app: name, ...stage } = line
    return updateApp(progress, name, (app) => ({ ...app, stages: recordStage(app.stages, stage, now) }))
  }
  const { type: _type, app: name, ...step } = line
  return updateApp(progress, name, (app) => ({ ...app, rows: recordStep(app.rows, step, now) }))
}

function updateApp(progress: Progress, name: string, change: (app: AppProgress) => AppProgress): Progress {
  if (progress.some((app) => app.app === name)) return progress.map((app) => (app.app === name ? change(app) : app))
  return [
    ...progress,
    change({ app: name, text: '', workers: 0, queuedBehind: null, ended: false, rows: [], stages: [] }),
  ]
}

function recordStep(rows: readonly ProgressRow[], step: WorkerStep, now: number): readonly ProgressRow[] {
  const before = rows.find((row) => row.step.worker === step.worker)
  if (!before) return [...rows, { step, since: now }].toSorted((a, b) => a.step.worker - b.step.worker)
  const since = before.step.state === step.state ? before.since : now
  const merged = { since, step: mergeStep(before.step, step) }
  return rows.map((row) => (row === before ? merged : row))
}

/** A step tells what is new; figures of earlier steps stay, a note does not: it belongs to its state. */
function mergeStep(before: WorkerStep, step: WorkerStep): WorkerStep {
  if (step.state === 'starting' && before.state !== 'starting') return step
  const { note: _note, ...figures } = before
  return { ...figures, ...step }
}

// ---- the frame -----------------------------------------------------------------------------------

/** Lines that fit the terminal; the apps' finished workers are summed up first when there are too many. */
export function renderFrame(progress: Progress, now: number, size: FrameSize, paint: Paint): string[] {
  const room = Math.max(3, size.rows - 1) - progress.length
  const share = Math.max(1, Math.floor(room / Math.max(1, progress.length)))
  return progress
    .flatMap((app) => renderApp(app, now, { columns: size.columns, rows: share }, paint))
    .map((line) => truncate(line, size.columns))
}

/** The workers' rows give way to the stages, which are few. */
function renderApp(app: AppProgress, now: number, { columns, rows: room }: FrameSize, paint: Paint): string[] {
  const stages = app.stages.map((row) => renderStage(row, app.ended ? null : now, paint)).slice(-Math.max(1, room - 1))
  const rows = renderRows(app, now, Math.max(1, room - stages.length), paint)
  return [renderHeader(app, columns, paint), ...rows, ...stages]
}

function renderHeader(app: AppProgress, columns: number, paint: Paint): string {
  const text = app.queuedBehind === null ? app.text : `queued behind ${app.queuedBehind}`
  const header = `${paint('bold', oneLine(app.app))}  ${oneLine(text)}`
  const gap = Math.min(columns, 84) - textWidth(header) - HINT.length
  return app.ended || columns < HINT_COLUMNS || gap < 2 ? header : header + ' '.repeat(gap) + paint('dim', HINT)
}

function renderRows(app: AppProgress, now: number, room: number, paint: Paint): string[] {
  const unseen = app.workers - app.rows.length
  const rest = unseen > 0 && !app.ended && app.rows.length > 0 ? [paint('dim', `     … ${unseen} more to come`)] : []
  const lines = (rows: readonly ProgressRow[]) => rows.map((row) => renderRow(row, now, paint))
  if (app.rows.length + rest.length <= room) return [...lines(app.rows), ...rest]

  const shown = new Set(app.rows.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, room - 1))
  const hidden = app.rows.filter((row) => !shown.has(row))
  return [...lines(app.rows.filter((row) => shown.has(row))), paint('dim', `     … and ${countStates(hidden, unseen)}`)]
}

function urgency({ step }: ProgressRow): number {
  const look = LOOKS[step.state]
  return look.symbol === '✗' ? 0 : look.symbol === '◐' ? 1 : look.symbol === '○' ? 2 : 3
}

function countStates(rows: readonly ProgressRow[], unseen: number): string {
  const counts = new Map<string, number>()
  for (const { step } of rows) counts.set(step.state, (counts.get(step.state) ?? 0) + 1)
  if (unseen > 0) counts.set('to come', unseen)
  return Array.from(counts, ([state, count]) => `${count} ${state}`).join(', ')
}

const LOOKS: Readonly<Record<WorkerStep['state'], { symbol: string; colour: Colour }>> = {
  waiting: { symbol: '○', colour: 'dim' },
  starting: { symbol: '◐', colour: 'yellow' },
  ready: { symbol: '●', colour: 'green' },
  serving: { symbol: '●', colour: 'green' },
  draining: { symbol: '◐', colour: 'yellow' },
  drained: { symbol: '●', colour: 'green' },
  failed: { symbol: '✗', colour: 'red' },
  stopped: { symbol: '○', colour: 'dim' },
  restored: { symbol: '●', colour: 'green' },
}

function renderRow({ step, since }: ProgressRow, now: number, paint: Paint): string {
  const replaced = step.readyMs !== undefined
  const { symbol, colour } = LOOKS[step.state === 'draining' && replaced ? 'ready' : step.state]
  const drain = drainText(step, now - since)
  const hasOwnColumn = replaced && step.state !== 'failed'
  const first = hasOwnColumn ? `ready ${formatDuration(step.readyMs ?? 0)}` : stateText(step, now - since, drain)
  const second = hasOwnColumn ? [drain && `old ${drain}`, noteText(step)] : [noteText(step)]
  const id = padStart(String(step.worker), 3)
  return `${id}  ${paint(colour, symbol)} ${padEnd(first, FIRST_COLUMN)}  ${second.filter(Boolean).join('  ')}`.trimEnd()
}

function stateText(step: WorkerStep, elapsedMs: number, drain: string): string {
  if (step.state === 'starting') return `starting ${formatElapsed(elapsedMs)}`
  if (step.state === 'draining' || step.state === 'drained') return drain
  return step.state === 'stopped' && drain !== '' ? `stopped, ${drain}` : step.state
}

/** `drained 2.1s  (14 requests, 0 cut)` */
function drainText(step: WorkerStep, elapsedMs: number): string {
  if (step.state === 'draining') return `draining ${formatElapsed(elapsedMs)}`
  if (step.drainMs === undefined) return step.state === 'drained' ? 'drained' : ''
  return `drained ${formatDuration(step.drainMs)}${cutText(step)}`
}

function cutText(step: WorkerStep): string {
  const cut = `${step.requestsCut ?? 0} cut`
  if (step.served !== undefined) return `  (${countOf(step.served, 'request')}, ${cut})`
  return step.requestsCut ? `  (${cut})` : ''
}

function noteText(step: WorkerStep): string {
  if (!step.note) return ''
  return step.state === 'starting' ? `waiting for ${oneLine(step.note)}` : oneLine(step.note)
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

// ---- one line an event ---------------------------------------------------------------------------

/** For pipes, logs and dumb terminals; null for what is told at the end. */
export function renderPlain(line: ProgressLine): string | null {
  if (line.type === 'result' || line.type === 'rehearsal' || line.type === 'fault') return null
  if (line.type === 'queued') return `${line.app}: queued behind ${oneLine(line.behind)}`
  if (line.type === 'begin') return `${line.app}: ${oneLine(line.text)}`
  if (line.type === 'stage') return `${line.app}: ${plainStage(line)}`
  return `${line.app}: worker ${line.worker} ${plainStep(line)}`
}

function plainStep(step: WorkerStep): string {
  const note = noteText(step)
  const told = note === '' ? '' : `: ${note}`
  if ((step.state === 'ready' || step.state === 'serving') && step.readyMs !== undefined)
    return `ready after ${formatDuration(step.readyMs)}${told}`
  if (step.drainMs === undefined || step.state === 'draining') return `${step.state}${told}`
  const drain = `drained in ${formatDuration(step.drainMs)}${cutText(step).replace('  ', ' ')}`
  return step.state === 'drained' ? drain + told : `${step.state}, ${drain}${told}`
}
