// What `supervise top` knows and what its keys mean: from statuses and keys to the next picture and to what is to be done.
// Pure: it has no terminal, no clock and no client.

import type {
  AppSamples,
  AppStatus,
  EventRecord,
  GroupStatus,
  InstanceStatus,
  LogRecord,
  WorkerStatus,
} from '../control/messages.ts'

const KEPT_EVENTS = 100
const KEPT_LINES = 500

/** A worker's last hour, as the supervisor has it. */
export interface Histories {
  readonly cpu: readonly number[]
  readonly rss: readonly number[]
}

export type Mode =
  | { readonly kind: 'browse' }
  | { readonly kind: 'filter' }
  | { readonly kind: 'help' }
  /** Waits for a yes. */
  | { readonly kind: 'confirm'; readonly action: TopAction }

export interface TopAction {
  readonly kind: 'reload' | 'flip' | 'scale up' | 'scale down'
  readonly instance: string
  readonly app: string
}

export interface TopRow {
  readonly instance: string
  readonly app: AppStatus
  readonly group: GroupStatus
  readonly worker: WorkerStatus
}

export interface TopModel {
  readonly statuses: readonly InstanceStatus[]
  readonly histories: ReadonlyMap<string, Histories>
  readonly events: readonly EventRecord[]
  readonly lines: readonly LogRecord[]
  /** Of the rows that the filter leaves. */
  readonly selected: number
  readonly filter: string
  readonly mode: Mode
  readonly showsLogs: boolean
  /** How the last action went, or why nothing can be seen. */
  readonly message: string | null
}

export const EMPTY: TopModel = {
  statuses: [],
  histories: new Map(),
  events: [],
  lines: [],
  selected: 0,
  filter: '',
  mode: { kind: 'browse' },
  showsLogs: false,
  message: null,
}

export interface Pressed {
  readonly model: TopModel
  readonly action: TopAction | null
  readonly quits: boolean
}

export function recordStatuses(model: TopModel, statuses: readonly InstanceStatus[]): TopModel {
  const next = { ...model, statuses }
  const keys = new Set(allRows(next).map(keyOf))
  return keepSelection({ ...next, histories: new Map([...model.histories].filter(([key]) => keys.has(key))) })
}

export function recordSamples(model: TopModel, instance: string, { app, workers }: AppSamples): TopModel {
  const told = workers.map(({ pid, cpuPercent, rssBytes }): [string, Histories] => [
    `${instance} ${app} ${pid}`,
    { cpu: cpuPercent.map((value) => value ?? 0), rss: rssBytes },
  ])
  return { ...model, histories: new Map([...model.histories, ...told]) }
}

export function recordEvent(model: TopModel, event: EventRecord): TopModel {
  // A feed that was lost begins again with what is known.
  const isKnown = model.events.some(({ seq, time }) => seq === event.seq && time === event.time)
  return isKnown ? model : { ...model, events: [...model.events, event].slice(-KEPT_EVENTS) }
}

export function recordLine(model: TopModel, line: LogRecord): TopModel {
  return { ...model, lines: [...model.lines, line].slice(-KEPT_LINES) }
}

export function rowsOf(model: TopModel): readonly TopRow[] {
  const wanted = model.filter.toLowerCase()
  if (wanted === '') return allRows(model)
  return allRows(model).filter(({ app, group, worker }) =>
    [app.name, group.release, group.version ?? '', worker.state, String(worker.pid ?? '')].some((text) =>
      text.toLowerCase().includes(wanted),
    ),
  )
}

/** The row that keys are about; null when there is none. */
export function selectedRow(model: TopModel): TopRow | null {
  return rowsOf(model)[model.selected] ?? null
}

export function keyOf({ instance, app, worker }: TopRow): string {
  return `${instance} ${app.name} ${worker.pid ?? `id ${worker.id}`}`
}

/** Names are those of node:readline's keypress. */
export function press(
  model: TopModel,
  key: { readonly name: string; readonly text: string; readonly ctrl: boolean },
): Pressed {
  if (key.ctrl && (key.name === 'c' || key.name === 'd')) return { model, action: null, quits: true }
  switch (model.mode.kind) {
    case 'filter':
      return stay(typeFilter(model, key))
    case 'confirm':
      return answer(model, model.mode.action, key.text)
    case 'help':
      return stay({ ...model, mode: { kind: 'browse' } })
    case 'browse':
      return browse(model, key)
  }
}

function browse(model: TopModel, { name, text }: { readonly name: string; readonly text: string }): Pressed {
  const quiet = { ...model, message: null }
  switch (name === 'up' || name === 'down' ? name : text) {
    case 'q':
      return { model, action: null, quits: true }
    case 'up':
    case 'k':
      return stay(keepSelection({ ...quiet, selected: model.selected - 1 }))
    case 'down':
    case 'j':
      return stay(keepSelection({ ...quiet, selected: model.selected + 1 }))
    case 'l':
      return stay({ ...quiet, showsLogs: !model.showsLogs })
    case '/':
      return stay({ ...quiet, mode: { kind: 'filter' } })
    case '?':
    case 'h':
      return stay({ ...quiet, mode: { kind: 'help' } })
    case 'r':
      return stay(asked(quiet, 'reload'))
    case 'f':
      return stay(asked(quiet, 'flip'))
    case '+':
      return stay(asked(quiet, 'scale up'))
    case '-':
      return stay(asked(quiet, 'scale down'))
    default:
      return stay(model)
  }
}

function asked(model: TopModel, kind: TopAction['kind']): TopModel {
  const row = selectedRow(model)
  if (row === null) return { ...model, message: 'There is no app to do that to.' }
  return { ...model, mode: { kind: 'confirm', action: { kind, instance: row.instance, app: row.app.name } } }
}

function answer(model: TopModel, action: TopAction, text: string): Pressed {
  const browsing: TopModel = { ...model, mode: { kind: 'browse' } }
  if (text !== 'y' && text !== 'Y') return stay({ ...browsing, message: `No ${action.kind} then.` })
  return { model: { ...browsing, message: `${action.kind} of ${action.app} …` }, action, quits: false }
}

function typeFilter(model: TopModel, { name, text }: { readonly name: string; readonly text: string }): TopModel {
  if (name === 'return' || name === 'enter') return { ...model, mode: { kind: 'browse' } }
  if (name === 'escape') return keepSelection({ ...model, filter: '', mode: { kind: 'browse' } })
  const filter = name === 'backspace' ? model.filter.slice(0, -1) : model.filter + (text >= ' ' ? text : '')
  return keepSelection({ ...model, filter })
}

function allRows({ statuses }: TopModel): readonly TopRow[] {
  return statuses.flatMap(({ instance, apps }) =>
    apps.flatMap((app) =>
      [app.groups.blue, app.groups.green].flatMap((group) =>
        group === null ? [] : group.workers.map((worker) => ({ instance, app, group, worker })),
      ),
    ),
  )
}

function keepSelection(model: TopModel): TopModel {
  const last = Math.max(0, rowsOf(model).length - 1)
  return { ...model, selected: Math.min(Math.max(0, model.selected), last) }
}

function stay(model: TopModel): Pressed {
  return { model, action: null, quits: false }
}
