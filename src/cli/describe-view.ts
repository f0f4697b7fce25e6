// `supervise describe` as text: the app's line and workers as in status, then config, crashes and events.

import { words } from '../config/parsers.ts'
import type { AppDescription, InstanceStatus, Spread } from '../control/messages.ts'
import { formatLatency, formatUptime } from './durations.ts'
import type { Paint } from './paint.ts'
import { renderCrash, renderEvent } from './records-view.ts'
import { formatBytes } from './sizes.ts'
import { limitsText, renderApps, renderWorkers, targetText } from './status-view.ts'
import { alignRows } from './table.ts'
import { oneLine } from './text-width.ts'

const SHOWN_CRASHES = 3
const SHOWN_EVENTS = 10

/** What is told of the supervisor that runs it. */
export type DescribedSupervisor = Pick<InstanceStatus, 'instance' | 'pid' | 'version' | 'nodeVersion' | 'keptBy'>

export function renderDescription(app: AppDescription, supervisor: DescribedSupervisor, paint: Paint): string[] {
  return [
    ...renderApps([app], paint),
    ...section('Workers', [...renderWorkers([app], paint), ...adoptedLines(app)], paint),
    ...section('Requests of the last minute', trafficLines(app), paint),
    ...section('The last hour', resourceLines(app), paint),
    ...section('Objectives', objectiveLines(app), paint),
    ...section('Probes', probeLines(app), paint),
    ...section('Tracing', tracingLines(app), paint),
    ...section('Supervisor', supervisorLines(supervisor), paint),
    ...section('Config', configLines(app), paint),
    ...section('Options', optionLines(app), paint),
    ...section(
      'Crashes',
      app.crashes.slice(-SHOWN_CRASHES).flatMap((crash) => renderCrash(crash, paint)),
      paint,
    ),
    ...section(
      'Events',
      app.events.slice(-SHOWN_EVENTS).map((event) => renderEvent(event, paint)),
      paint,
    ),
  ]
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines.map((line) => `  ${line}`)]
}

/** What is less well with a worker that is not a child of this supervisor. */
function adoptedLines({ groups: { blue, green } }: AppDescription): string[] {
  const adopted = [blue, green].flatMap((group) => group?.workers ?? []).filter((worker) => worker.adopted)
  if (adopted.length === 0) return []
  return [
    `adopted: an earlier supervisor forked it. A signal that ends it is not known, and what node:cluster itself shares`,
    `(UDP) it cannot open anew; the option replaceAdopted says when it is replaced.`,
  ]
}

function trafficLines({ groups }: AppDescription): string[] {
  const rows = [groups.blue, groups.green].flatMap((group) => {
    if (group === null || group.traffic === null) return []
    const { requestsPerSecond, errorRatio, p50Ms, p90Ms, p99Ms, p999Ms } = group.traffic
    const times = [p50Ms, p90Ms, p99Ms, p999Ms].map(formatLatency)
    return [[group.release, `${requestsPerSecond}/s`, `${percent(errorRatio)} 5xx`, ...times]]
  })
  if (rows.length === 0) return []
  return alignRows(
    Array.from({ length: 7 }, () => ({})),
    [['', '', '', 'p50', 'p90', 'p99', 'p99.9'], ...rows],
  )
}

/** Least, average and most that each process took, with its children. */
function resourceLines({ resources, limits, groups }: AppDescription): string[] {
  const rows = resources.map(({ id, pid, overSeconds, cpuPercent, rssBytes, childrenRssBytes, loopDelayMs }) => [
    `worker ${id}`,
    `pid ${pid}`,
    formatUptime(overSeconds),
    spread(cpuPercent, (value) => `${value.toFixed(1)}%`),
    spread(rssBytes, formatBytes),
    childrenRssBytes?.max === 0 ? '0' : spread(childrenRssBytes, formatBytes),
    spread(loopDelayMs, formatLatency),
  ])
  const titles = ['', '', 'OVER', 'CPU min / avg / max', 'MEMORY', 'OF IT CHILDREN', 'LOOP DELAY']
  const allowed = limitsText(limits)
  const workers = [groups.blue, groups.green].flatMap((group) => group?.workers ?? [])
  const isBlind = workers.some(({ rssBytes, children }) => rssBytes !== null && children === null)
  return [
    ...(rows.length === 0
      ? []
      : alignRows(
          titles.map(() => ({})),
          [titles, ...rows],
        )),
    ...(isBlind ? ['What workers have started is not counted: this system has no /proc.'] : []),
    ...(allowed === null ? [] : [allowed]),
  ]
}

function spread(of: Spread | null, format: (value: number) => string): string {
  return of === null ? '-' : `${format(of.min)} / ${format(of.avg)} / ${format(of.max)}`
}

function objectiveLines({ objectives }: AppDescription): string[] {
  const rows = objectives.map(({ objective, target, budgetLeft, burning }) => [
    objective,
    `${target} %`,
    budgetLeft === null ? 'no request yet' : `${percent(budgetLeft)} of the error budget left`,
    burning === null ? '' : `burns ${burning.rate} times too fast (${burning.severity})`,
  ])
  return alignRows([{}, {}, {}, {}], rows)
}

function probeLines({ probes }: AppDescription): string[] {
  const rows = probes.map(({ probe, target, outcome, problem, tookMs, failures }) => [
    oneLine(probe),
    targetText(target),
    outcome === null ? 'not asked yet' : outcome,
    tookMs === null ? '' : formatLatency(tookMs),
    problem === null ? '' : `${oneLine(problem)} (${failures} in a row)`,
  ])
  return alignRows([{}, {}, {}, {}, {}], rows)
}

function tracingLines({ tracing }: AppDescription): string[] {
  if (tracing === null) return []
  const { spans, problem } = tracing
  return [oneLine(problem === null ? SPANS_GO[spans] : `traces are lost: ${problem}`)]
}

const SPANS_GO = {
  sent: 'spans are sent to the collector',
  given: "spans are given to the app's own OpenTelemetry",
  left: "the app's own OpenTelemetry traces its requests; none are added",
  lost: 'traces are lost',
} as const

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`
}

function supervisorLines({ instance, pid, version, nodeVersion, keptBy }: DescribedSupervisor): string[] {
  const rows = [
    ['instance', instance],
    ['pid', String(pid)],
    ['version', `supervise ${version}, Node ${nodeVersion.replace(/^v/, '')}`],
    ['brought back', keeperText(keptBy)],
  ]
  return alignRows([{}, {}], rows)
}

/** An older supervisor does not say it. */
function keeperText(keptBy: InstanceStatus['keptBy'] | undefined): string {
  if (keptBy === undefined) return 'not known: it is of an older version'
  if (keptBy.who === 'systemd') return 'by systemd, should it die'
  if (keptBy.who === 'nobody') return 'by nobody, should it die: its workers would serve on'
  return keptBy.pid === null ? 'by a keeper that is just starting' : `by its keeper (pid ${keptBy.pid}), should it die`
}

function configLines({ config, groups, active }: AppDescription): string[] {
  const rows = [
    ['file', config.file ?? '(none: started with flags)'],
    [config.hasAgent ? 'script' : 'program', config.script],
    ['agent', config.hasAgent ? '' : 'none: its requests, drain and event loop are not seen'],
    ['release', groups[active]?.path ?? ''],
    ['directory', config.cwd],
    ['arguments', words.format(config.args)],
    ['Node', config.hasAgent ? (config.node ?? "(the supervisor's own)") : ''],
    ['Node flags', words.format(config.nodeArgs)],
    ['environment', config.environmentNames.join(' ')],
  ]
  return alignRows(
    [{}, {}],
    rows.filter(([, value]) => value !== '').map((row) => row.map(oneLine)),
  )
}

function optionLines({ config }: AppDescription): string[] {
  const rows = Object.entries(config.options).map(([name, value]) => [name, oneLine(valueText(value))])
  return alignRows(
    [{}, {}],
    rows.filter(([, value]) => value !== ''),
  )
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
