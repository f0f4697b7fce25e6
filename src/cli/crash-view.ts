// Crashes as text: the list of those that are the same one, and everything about one of them.

import type { CrashGroup, CrashRecord, VitalsPoint } from '../control/messages.ts'
import { formatDuration } from './durations.ts'
import type { Paint } from './paint.ts'
import { countOf } from './progress.ts'
import { formatTime } from './records-view.ts'
import { formatBytes } from './sizes.ts'
import { alignRows, renderTable, type Column } from './table.ts'
import { oneLine } from './text-width.ts'

const COLUMNS: readonly Column[] = [
  { title: 'LAST' },
  { title: 'ID' },
  { title: 'APP' },
  { title: 'TIMES', align: 'right' },
  { title: 'SINCE' },
  { title: 'RELEASES' },
  { title: 'CRASH', below: true },
]

/** So many of a group's releases are named. */
const SHOWN_RELEASES = 4
const SHOWN_POINTS = 12

export function renderCrashGroups(groups: readonly CrashGroup[], width?: number): readonly string[] {
  const rows = groups.map((group) => [
    formatTime(group.lastAt),
    group.lastId,
    group.app,
    String(group.count),
    formatTime(group.firstAt),
    releasesInWords(group),
    oneLine(group.title),
  ])
  return renderTable(COLUMNS, rows, width)
}

/** `r41, r42 and 3 before` */
function releasesInWords({ releases }: CrashGroup): string {
  const named = releases.slice(-SHOWN_RELEASES).map(({ release }) => release)
  const hidden = releases.length - named.length
  return named.join(', ') + (hidden > 0 ? ` and ${hidden} before` : '')
}

export function renderWholeCrash(crash: CrashRecord, group: CrashGroup | null, paint: Paint): readonly string[] {
  const title = `${crash.id}  ${crash.app}/${crash.worker}  ${oneLine(crash.words)}`
  const section = (name: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', paint('bold', name), ...lines.map((line) => `  ${line}`)]
  return [
    paint('bold', title),
    ...alignRows([{}, {}], facts(crash, group)).map((line) => `  ${line}`),
    ...section('Stack', stackLines(crash.mappedStack ?? crash.stack)),
    ...(crash.mappedStack === null ? [] : section('Stack as it was run', stackLines(crash.stack))),
    ...section('Requests under way', requestLines(crash)),
    ...section('Before the end', curveLines(crash.curve)),
    ...section('Last lines of stderr', crash.stderr.map(oneLine)),
  ]
}

function facts(crash: CrashRecord, group: CrashGroup | null): readonly (readonly string[])[] {
  const { rssBytes, loopDelayMs, reportPath } = crash
  const figures = [
    rssBytes === null ? '' : formatBytes(rssBytes),
    loopDelayMs === null ? '' : `loop delay ${formatDuration(loopDelayMs)}`,
  ].filter(Boolean)
  return [
    ['when', `${formatTime(crash.at)}, after ${formatDuration(crash.uptimeSeconds * 1000)}`],
    ['release', `${crash.release} (${crash.group}), pid ${crash.pid}`],
    ...(figures.length === 0 ? [] : [['last seen', figures.join(', ')]]),
    ...(group === null ? [] : [['the same', sameInWords(group)]]),
    ...(reportPath === null ? [] : [['report', reportPath]]),
    ...crash.heapSnapshots.map((path) => ['heap snapshot', path]),
  ]
}

function sameInWords(group: CrashGroup): string {
  const releases = group.releases.map(({ release, count }) => `${release} ${count}`).join(', ')
  if (group.count === 1) return 'once'
  return `${group.count} times from ${formatTime(group.firstAt)} (${group.firstId}) to ${formatTime(group.lastAt)} (${group.lastId}): ${releases}`
}

function stackLines(stack: string | null): readonly string[] {
  return stack === null ? [] : stack.split('\n').map(oneLine)
}

function requestLines({ requests, requestsInFlight }: CrashRecord): readonly string[] {
  const more = (requestsInFlight ?? 0) - requests.length
  return [
    ...requests.map(({ method, path }) => `${oneLine(method)} ${oneLine(path)}`),
    ...(more > 0
      ? [`${requests.length === 0 ? '' : '… '}${countOf(more, 'request')} of unknown path, when it last told`]
      : []),
  ]
}

function curveLines(curve: readonly VitalsPoint[]): readonly string[] {
  if (curve.length === 0) return []
  const step = Math.max(1, Math.ceil(curve.length / SHOWN_POINTS))
  // Counted from the end: the last one is the one that matters.
  const shown = curve.filter((_, index) => (curve.length - 1 - index) % step === 0)
  const columns: readonly Column[] = ['BEFORE', 'RSS', 'HEAP', 'LOOP DELAY', 'LOOP BUSY', 'IN FLIGHT'].map((title) => ({
    title,
    align: 'right',
  }))
  const rows = shown.map((point) => [
    formatDuration(point.secondsBefore * 1000),
    point.rssBytes === null ? '-' : formatBytes(point.rssBytes),
    formatBytes(point.heapUsedBytes),
    formatDuration(point.loopDelayMs),
    `${Math.round(point.loopUtilization * 100)} %`,
    String(point.requestsInFlight),
  ])
  return renderTable(columns, rows)
}
