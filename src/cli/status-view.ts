// `supervise status` as text: a line about each instance and app, then one table of all workers.

import type {
  AppState,
  AppStatus,
  GroupStatus,
  InstanceStatus,
  KeptBy,
  LimitsStatus,
  ListenerStatus,
  ProbeStatus,
  RolloutStatus,
  WorkerState,
  WorkerStatus,
} from '../control/messages.ts'
import type { LastRollout } from '../control/release-messages.ts'
import { formatDuration, formatUptime } from './durations.ts'
import type { Colour, Paint } from './paint.ts'
import { countOf } from './progress.ts'
import { formatTime } from './records-view.ts'
import { formatBytes } from './sizes.ts'
import { alignRows, renderTable, type Column } from './table.ts'
import { oneLine, wrap } from './text-width.ts'

const APP_LOOKS: Readonly<Record<AppState, { symbol: string; colour: Colour }>> = {
  starting: { symbol: '◐', colour: 'yellow' },
  online: { symbol: '●', colour: 'green' },
  degraded: { symbol: '◐', colour: 'red' },
  reloading: { symbol: '◐', colour: 'yellow' },
  failed: { symbol: '✗', colour: 'red' },
  stopping: { symbol: '◐', colour: 'yellow' },
  stopped: { symbol: '○', colour: 'dim' },
}

const WORKER_COLOURS: Readonly<Record<WorkerState, Colour>> = {
  starting: 'yellow',
  ready: 'green',
  serving: 'green',
  standby: 'cyan',
  draining: 'yellow',
  stopping: 'yellow',
  killing: 'red',
  backoff: 'red',
  failed: 'red',
  exited: 'dim',
}

const WORKER_COLUMNS: readonly Column[] = [
  { title: 'APP' },
  { title: 'RELEASE' },
  { title: 'WORKER', align: 'right' },
  { title: 'STATE' },
  { title: 'PID', align: 'right' },
  { title: 'UPTIME', align: 'right' },
  { title: 'CPU', align: 'right' },
  { title: 'MEM', align: 'right' },
  { title: 'RESTARTS', align: 'right' },
  { title: 'CRASHES', align: 'right' },
  { title: 'CONNS', align: 'right' },
]

/** `stopped` is a person's will, and a reload keeps all workers; what else is not online is not well. */
export function isHealthy({ state }: AppStatus): boolean {
  return state === 'online' || state === 'reloading' || state === 'stopped'
}

/** `width` is the terminal's. */
export function renderStatus(status: InstanceStatus, now: number, paint: Paint, width?: number): string[] {
  const { instance, pid, startedAt, version, nodeVersion, apps } = status
  const limits = limitsText(status.limits)
  const up = formatUptime((now - Date.parse(startedAt)) / 1000)
  const title = `Instance ${paint('bold', instance)}  pid ${pid}  up ${up}  supervise ${version}  Node ${nodeVersion.replace(/^v/, '')}`
  const line = `${title}${keptText(status.keptBy)}`
  const heading = [line, ...(limits === null ? [] : [limits]), ...zombieLine(status.zombies, paint)]
  if (apps.length === 0) return [...heading, 'No app. Start one with `supervise start app.js --detach`.']
  const workers = renderWorkers(apps, paint, width)
  return [...heading, ...renderApps(apps, paint, width), ...(workers.length === 0 ? [] : ['', ...workers])]
}

/** An older supervisor does not say it. */
function keptText(keptBy: KeptBy | undefined): string {
  if (keptBy === undefined || keptBy.who === 'nobody') return ''
  if (keptBy.who === 'firstProcess') return '  below a shell as first process'
  return keptBy.who === 'systemd' ? '  under systemd' : `  keeper ${keptBy.pid ?? 'starting'}`
}

/** An older supervisor does not say it. */
function zombieLine(zombies: number | null | undefined, paint: Paint): string[] {
  if (zombies === null || zombies === undefined || zombies === 0) return []
  const what = zombies === 1 ? '1 zombie' : `${zombies} zombies`
  return [paint('yellow', `${what}: this is the first process of its container; run the container with --init`)]
}

// ---- apps ----------------------------------------------------------------------------------------

export function renderApps(apps: readonly AppStatus[], paint: Paint, width = Infinity): string[] {
  const heads = alignRows(
    [{}, {}, {}, {}, {}],
    apps.map((app) => appCells(app, paint)),
  )
  return apps.flatMap((app, index) => [
    heads[index] ?? '',
    ...appNotes(app).flatMap((note) => wrap(note, width, '    ')),
  ])
}

function appCells(app: AppStatus, paint: Paint): string[] {
  const { symbol, colour } = APP_LOOKS[app.state]
  const group = app.groups[app.active]
  const serving = group?.workers.filter(({ state }) => state === 'serving').length ?? 0
  return [
    `${paint(colour, symbol)} ${paint('bold', app.name)}`,
    paint(colour, app.state),
    `${serving} of ${countOf(app.instances, 'worker')}`,
    group === null ? '' : releaseText(group),
    app.listeners.map(listenerText).join(', '),
  ]
}

export function releaseText({ release, version }: Pick<GroupStatus, 'release' | 'version'>): string {
  return version === null ? release : `${release} (${version})`
}

export function listenerText({ address, port, path }: ListenerStatus): string {
  if (path !== null) return path
  const host = address === null ? '*' : address.includes(':') ? `[${address}]` : address
  return `${host}:${port ?? '?'}`
}

function appNotes(app: AppStatus): string[] {
  const { reason, operation, rollout, lastRollout, nextStart } = app
  const isBad = rollout === null && lastRollout !== null && lastRollout.outcome in ENDED_BADLY
  const notes = [
    ...(reason === null ? [] : [oneLine(reason)]),
    ...(rollout === null ? [] : [rolloutLine(rollout)]),
    ...(isBad ? [`${lastRolloutLine(lastRollout)}; see \`supervise history ${app.name} ${lastRollout.release}\``] : []),
    ...(nextStart === null ? [] : [`\`supervise start ${app.name}\` begins with ${releaseText(nextStart)}`]),
    ...memoryNote(app),
    ...rehearsalNote(app),
    ...app.probes.filter(({ failing }) => failing).map(probeNote),
  ]
  if (operation === null) return notes
  const { kind, step, sinceSeconds, queued } = operation
  const next = queued ? ', another queued' : ''
  return [...notes, `${kind}: ${oneLine(step)} (for ${formatDuration(sinceSeconds * 1000)}${next})`]
}

/** An older supervisor does not say it. */
function rehearsalNote({ rehearsal }: Partial<Pick<AppStatus, 'rehearsal'>>): string[] {
  if (rehearsal === undefined || rehearsal === null) return []
  const { faults, current, endsInSeconds, seed } = rehearsal
  const now =
    current === null ? '' : `, now ${current.kind}${current.worker === null ? '' : ` on worker ${current.worker}`}`
  const ends = formatDuration(endsInSeconds * 1000)
  return [
    `rehearsal of failures (\`supervise chaos\`): ${countOf(faults, 'fault')} so far${now}; over in ${ends} (seed ${seed})`,
  ]
}

/** A probe that fails. */
function probeNote({ probe, target, problem, badForSeconds }: ProbeStatus): string {
  const place = target === 'url' ? '' : ` at ${targetText(target)}`
  return `probe ${oneLine(probe)}${place} fails for ${formatDuration((badForSeconds ?? 0) * 1000)}: it ${oneLine(problem ?? '')}`
}

/** `blue 1` → `worker 1 (blue)` */
export function targetText(target: string): string {
  const [group, id] = target.split(' ')
  if (id !== undefined) return `worker ${id} (${group})`
  return target === 'public' ? 'the public address' : target
}

/** Two releases side by side need twice of it. */
function memoryNote({ groups: { blue, green } }: AppStatus): string[] {
  if (blue === null || green === null) return []
  const each = [blue, green].map(({ release, rssBytes }) => `${release} ${figure(rssBytes, formatBytes)}`)
  return [`memory: ${each.join(', ')}`]
}

export function rolloutLine({ step, waitsFor, sinceSeconds, dueInSeconds, why }: RolloutStatus): string {
  const due = dueInSeconds === null ? '' : `, ${formatDuration(dueInSeconds * 1000)} left`
  const because = why === null ? '' : `: ${oneLine(why)}`
  return `rollout ${step} for ${formatDuration(sinceSeconds * 1000)}${due}: ${waitsFor}${because}`
}

/** Until the next deploy. */
const ENDED_BADLY: Readonly<Record<string, string>> = {
  failed: 'was refused',
  rolledBack: 'was taken back',
  aborted: 'was aborted',
}

export function lastRolloutLine({ release, version, outcome, why, endedAt }: LastRollout): string {
  const at = endedAt === null ? '' : ` at ${formatTime(endedAt)}`
  const because = why === null ? '' : `: ${oneLine(why)}`
  return `${releaseText({ release, version })} ${ENDED_BADLY[outcome] ?? `was ${outcome}`}${at}${because}`
}

// ---- workers -------------------------------------------------------------------------------------

function workerRows(app: AppStatus, group: GroupStatus | null, paint: Paint): string[][] {
  return (group?.workers ?? []).map((worker) => [
    app.name,
    group?.release ?? '-',
    String(worker.id),
    paint(WORKER_COLOURS[worker.state], worker.state),
    figure(worker.pid),
    figure(worker.uptimeSeconds, (seconds) => formatUptime(seconds).replaceAll(' ', '')),
    figure(worker.cpuPercent, (percent) => `${percent.toFixed(1)}%`),
    figure(worker.rssBytes, (bytes) => formatBytes(bytes).replaceAll(' ', '')),
    String(worker.restarts),
    worker.crashes > 0 ? paint('red', String(worker.crashes)) : '0',
    figure(worker.connections),
    [
      worker.retryInSeconds === null ? '' : `again in ${formatUptime(Math.ceil(worker.retryInSeconds))}`,
      worker.adopted ? 'adopted' : '',
      childrenText(worker.children),
    ]
      .filter(Boolean)
      .join(', '),
  ])
}

/** Cells have no spaces but the last one's, so that `awk` finds them; the note's column is there when it says something. */
export function renderWorkers(apps: readonly AppStatus[], paint: Paint, width?: number): string[] {
  const rows = apps.flatMap((app) =>
    [app.groups.blue, app.groups.green].flatMap((group) => workerRows(app, group, paint)),
  )
  if (rows.length === 0) return []
  const hasNotes = rows.some((row) => row.at(-1) !== '')
  return renderTable(hasNotes ? [...WORKER_COLUMNS, { title: 'NOTE', below: true }] : WORKER_COLUMNS, rows, width)
}

function childrenText(children: WorkerStatus['children']): string {
  if (children === null || children.count === 0) return ''
  return `with ${children.count === 1 ? '1 child' : `${children.count} children`}: ${formatBytes(children.rssBytes)}`
}

/** What a container allows, in one line; null without a limit. */
export function limitsText({ memoryBytes, memoryUsedBytes, cpuCores }: LimitsStatus): string | null {
  const parts = [
    ...(memoryBytes === null
      ? []
      : [`memory ${figure(memoryUsedBytes, formatBytes)} of ${formatBytes(memoryBytes)} used`]),
    ...(cpuCores === null ? [] : [countOf(cpuCores, 'CPU')]),
  ]
  return parts.length === 0 ? null : `limits around it: ${parts.join(', ')}`
}

function figure(value: number | null, format: (value: number) => string = String): string {
  return value === null ? '-' : format(value)
}
