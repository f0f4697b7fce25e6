// The picture of `supervise top`: from what it knows and the size of the terminal to lines that fit, no more and no longer.

import type { AppStatus, EventRecord, GroupStatus, LogRecord } from '../control/messages.ts'
import { formatLatency, formatUptime } from './durations.ts'
import { fitRows, roomBeside, type FittedColumn } from './fit-rows.ts'
import type { Colour, Paint } from './paint.ts'
import { countOf } from './progress.ts'
import { formatBytes } from './sizes.ts'
import { oneLine, truncate } from './text-width.ts'
import { keyOf, rowsOf, selectedRow, type TopModel, type TopRow } from './top-model.ts'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

const BARS = '▁▂▃▄▅▆▇█'
const STATE_COLOURS: Readonly<Record<string, Colour>> = {
  online: 'green',
  serving: 'green',
  standby: 'cyan',
  stopped: 'dim',
  exited: 'dim',
  failed: 'red',
  degraded: 'red',
  backoff: 'red',
  killing: 'red',
}
const HELP = [
  'up, down, k, j   another worker',
  '/                only what has this text in it; Escape shows all',
  'l                the lines of the selected app, or the events',
  'r                reload the selected app',
  'f                flip it to the release that is warm',
  '+  -             a worker more, a worker less',
  'q, Ctrl-C        quit',
]

export function renderTop(model: TopModel, { columns, rows }: ScreenSize, paint: Paint): string[] {
  const header = [paint('bold', 'supervise top') + summary(model)]
  const footer = [footerOf(model, paint)]
  const body =
    model.mode.kind === 'help' ? HELP : [...appLines(model, columns, paint), '', ...workerLines(model, columns, paint)]
  const room = Math.max(0, rows - header.length - footer.length)
  const shown = fitBody(body, model, room)
  const rest = room - shown.length
  const below = model.mode.kind === 'help' || rest < 3 ? [] : ['', ...lowerPart(model, rest - 1, paint)]
  const filler = Array.from({ length: Math.max(0, rest - below.length) }, () => '')
  return [...header, ...shown, ...below, ...filler, ...footer].slice(0, rows).map((line) => truncate(line, columns))
}

/** The selected worker stays in sight when there are more than fit. */
function fitBody(body: readonly string[], model: TopModel, room: number): readonly string[] {
  // Events are worth something, too.
  const most = body.length <= room - 6 ? room : Math.max(3, Math.min(room, Math.ceil(room * 0.75)))
  if (body.length <= most) return body
  const first = body.length - rowsOf(model).length + model.selected
  const from = Math.max(0, Math.min(first - most + 2, body.length - most))
  return body.slice(from, from + most)
}

function summary({ statuses }: TopModel): string {
  const apps = statuses.flatMap((status) => status.apps)
  const workers = apps.flatMap((app) => groupsOf(app).flatMap((group) => group.workers))
  const cpu = workers.reduce((sum, { cpuPercent }) => sum + (cpuPercent ?? 0), 0)
  const rss = workers.reduce((sum, { rssBytes }) => sum + (rssBytes ?? 0), 0)
  return `  ${countOf(apps.length, 'app')}  ${countOf(workers.length, 'worker')}  CPU ${cpu.toFixed(0)}%  memory ${formatBytes(rss)}`
}

/** `rank`: what tells least on a narrow terminal goes first. */
const APP_COLUMNS: readonly FittedColumn[] = [
  { title: 'APP', isCut: true },
  { title: 'RELEASE', rank: 3 },
  { title: 'STATE' },
  { title: 'REQ/S', align: 'right', rank: 6 },
  { title: '5XX', align: 'right', rank: 5 },
  { title: 'P50', align: 'right', rank: 2 },
  { title: 'P99', align: 'right', rank: 4 },
  { title: 'MEMORY', align: 'right', rank: 1 },
]

function appLines({ statuses }: TopModel, columns: number, paint: Paint): string[] {
  const rows = statuses.flatMap(({ apps }) =>
    apps.flatMap((app) => groupsOf(app).map((group) => appCells(app, group, paint))),
  )
  return fitRows(APP_COLUMNS, rows, columns, (title) => paint('dim', title))
}

function appCells(app: AppStatus, group: GroupStatus, paint: Paint): string[] {
  const { traffic, role } = group
  const step = role === 'standby' && app.rollout !== null ? app.rollout.step : role
  const state = role === 'active' ? app.state : step
  return [
    paint('bold', oneLine(app.name)),
    oneLine(group.version === null ? group.release : `${group.release} ${group.version}`),
    paint(STATE_COLOURS[state] ?? 'yellow', state),
    traffic === null ? '-' : String(traffic.requestsPerSecond),
    traffic === null ? '-' : `${(traffic.errorRatio * 100).toFixed(1)}%`,
    traffic === null ? '-' : formatLatency(traffic.p50Ms),
    traffic === null ? '-' : formatLatency(traffic.p99Ms),
    group.rssBytes === null ? '-' : formatBytes(group.rssBytes),
  ]
}

const WORKER_COLUMNS: readonly FittedColumn[] = [
  { title: '' },
  { title: 'APP', isCut: true },
  { title: 'ID', align: 'right' },
  { title: 'STATE' },
  { title: 'PID', align: 'right', rank: 1 },
  { title: 'CPU', align: 'right', rank: 7 },
  { title: 'MEMORY', align: 'right', rank: 6 },
  { title: 'CONNS', align: 'right', rank: 3 },
  { title: 'DELAY', align: 'right', rank: 5 },
  { title: 'RESTARTS', align: 'right', rank: 4 },
  { title: 'UPTIME', align: 'right', rank: 2 },
]

const SPARKLINES = 2
/** Shorter ones show nothing. */
const SHORTEST_SPARKLINE = 5
const LONGEST_SPARKLINE = 20

function workerLines(model: TopModel, columns: number, paint: Paint): string[] {
  const rows = rowsOf(model)
  if (rows.length === 0) return [model.filter === '' ? 'no worker' : `nothing has "${model.filter}" in it`]
  const cells = (spark: number) => rows.map((row) => workerCells(model, row, spark, paint))
  const each = Math.floor(roomBeside(WORKER_COLUMNS, cells(0), columns) / SPARKLINES) - 1
  const spark = each < SHORTEST_SPARKLINE ? 0 : Math.min(LONGEST_SPARKLINE, each)
  return fitRows(WORKER_COLUMNS, cells(spark), columns, (title) => paint('dim', title))
}

function workerCells(model: TopModel, row: TopRow, spark: number, paint: Paint): string[] {
  const { app, worker } = row
  const history = model.histories.get(keyOf(row)) ?? { cpu: [], rss: [] }
  // A bar is ten seconds; the last one is now.
  const cpu = [...history.cpu, worker.cpuPercent ?? 0]
  const rss = [...history.rss, worker.rssBytes ?? 0]
  const isSelected = selectedRow(model)?.worker === worker
  return [
    isSelected ? paint('bold', '›') : ' ',
    oneLine(app.name),
    String(worker.id),
    paint(STATE_COLOURS[worker.state] ?? 'yellow', worker.state),
    worker.pid === null ? '-' : String(worker.pid),
    beside(sparkline(cpu, spark, 100), worker.cpuPercent === null ? '-' : `${worker.cpuPercent.toFixed(0)}%`),
    beside(sparkline(rss, spark, null), worker.rssBytes === null ? '-' : formatBytes(worker.rssBytes)),
    worker.connections === null ? '-' : String(worker.connections),
    worker.loopDelayMs === null ? '-' : formatLatency(worker.loopDelayMs),
    String(worker.restarts),
    worker.uptimeSeconds === null ? '-' : formatUptime(worker.uptimeSeconds),
  ]
}

/** Of one width from the first value on, so that the table stays where it is. */
function beside(bars: string, text: string): string {
  return bars === '' ? text : `${bars} ${text}`
}

/** The last values as bars, of `most` or of the largest of them. */
export function sparkline(values: readonly number[], width: number, most: number | null): string {
  if (width === 0) return ''
  const shown = values.slice(-width)
  const top = Math.max(most ?? 0, ...shown)
  const bars = shown.map((value) => BARS[top === 0 ? 0 : Math.min(7, Math.floor((value / top) * 8))] ?? '▁')
  return bars.join('').padStart(width)
}

function lowerPart(model: TopModel, room: number, paint: Paint): string[] {
  const row = selectedRow(model)
  if (!model.showsLogs || row === null) {
    return [paint('dim', 'EVENTS'), ...model.events.slice(-(room - 1)).map((event) => eventLine(event, paint))]
  }
  const { name } = row.app
  const lines = model.lines.filter((line) => line.app === name)
  return [paint('dim', `LINES OF ${name}`), ...lines.slice(-(room - 1)).map((line) => logLine(line, paint))]
}

function eventLine({ time, app, text }: EventRecord, paint: Paint): string {
  return `${paint('dim', timeOf(time))}  ${app === null ? '' : `${oneLine(app)}  `}${oneLine(text)}`
}

function logLine({ worker, line, stream }: LogRecord, paint: Paint): string {
  return `${paint(stream === 'stderr' ? 'red' : 'dim', String(worker))}  ${oneLine(line)}`
}

function footerOf({ mode, message, filter }: TopModel, paint: Paint): string {
  switch (mode.kind) {
    case 'filter':
      return `/${filter}█`
    case 'confirm':
      return paint('yellow', `${mode.action.kind} ${mode.action.app}? y/n`)
    case 'help':
      return paint('dim', 'any key goes back')
    case 'browse':
      if (message !== null) return oneLine(message)
      return paint(
        'dim',
        `${filter === '' ? '' : `only "${filter}"  `}q quit  ? help  / filter  l logs  r reload  f flip  + - scale`,
      )
  }
}

function groupsOf({ groups }: AppStatus): readonly GroupStatus[] {
  return [groups.blue, groups.green].filter((group) => group !== null)
}

function timeOf(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB')
}
