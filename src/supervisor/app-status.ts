// What `status` and `describe` say of one app.

import { describeOptions } from '../config/diff.ts'
import type {
  AppDescription,
  AppStatus,
  EventRecord,
  GroupStatus,
  OperationStatus,
  WorkerState,
  WorkerStatus,
} from '../control/messages.ts'
import type { ReleaseNews } from '../control/release-messages.ts'
import type { Measures } from '../telemetry/measures.ts'
import { containerLimits } from '../telemetry/container-limits.ts'
import { wholeRssBytes, type Samples } from '../telemetry/samples.ts'
import type { App } from './app.ts'
import type { ChaosDesk } from './chaos-desk.ts'
import { objectivesOf } from './app-metrics.ts'
import { listenersOf } from './app-listeners.ts'
import type { Group, Place } from './group.ts'
import type { ProbeDesk } from './probe-desk.ts'
import type { SampleDesk } from './sample-desk.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Where figures come from. */
export interface Figures {
  readonly samples: Samples
  readonly measures: Measures
  readonly resources: Pick<SampleDesk, 'summaries'>
  readonly probes: Pick<ProbeDesk, 'status'>
  readonly chaos: Pick<ChaosDesk, 'statusOf'>
}

export function appStatus(app: App, figures: Figures, news: ReleaseNews & Pick<AppStatus, 'rollout'>): AppStatus {
  const group = (name: 'blue' | 'green'): GroupStatus | null => {
    const found = app.groups[name]
    return found === null ? null : groupStatus(found, app, figures)
  }
  return {
    name: app.name,
    state: app.state,
    reason: reasonOf(app),
    active: app.active,
    instances: app.activeGroup.wanted,
    listeners: listenersOf(app),
    operation: operationStatus(app),
    ...news,
    watching: app.config.watch !== null,
    rehearsal: figures.chaos.statusOf(app),
    probes: figures.probes.status(app),
    groups: { blue: group('blue'), green: group('green') },
  }
}

export function appDescription(
  app: App,
  figures: Figures,
  news: ReleaseNews & Pick<AppStatus, 'rollout'>,
  events: readonly EventRecord[],
): AppDescription {
  const { script, args, cwd, nodeArgs, node, env, isCommand } = app.config
  return {
    ...appStatus(app, figures, news),
    config: {
      file: app.source.file,
      script,
      hasAgent: !isCommand,
      args,
      cwd,
      nodeArgs,
      node,
      environmentNames: Object.keys(env).toSorted(),
      options: describeOptions(app.config),
    },
    crashes: app.crashes(20),
    events,
    tracing: app.reports.traces.status(app.config),
    objectives: objectivesOf(app, figures.measures),
    resources: figures.resources.summaries(app.processes()),
    limits: containerLimits(),
  }
}

function reasonOf(app: App): string | null {
  if (app.failure !== null) return app.failure
  if (app.state !== 'degraded' && app.state !== 'failed') return null
  const { serving, wanted } = app.counts()
  // One of an earlier life says nothing of this one.
  const last = app.crashes(1).find(({ at }) => at >= app.startedAt)
  const because = last === undefined ? '' : `; last crash: worker ${last.worker} ${last.words}`
  return `${serving} of ${wanted} workers serve${because}`
}

function operationStatus(app: App): OperationStatus | null {
  const current = app.operations.current
  if (current === null) return null
  const kind = current.kind === 'recycle' ? 'restart' : current.kind
  return { kind, step: current.step, sinceSeconds: seconds(current.sinceMs), queued: current.queued }
}

function groupStatus(group: Group, app: App, { samples, measures }: Figures): GroupStatus {
  const { release } = group.generation
  const workers = [...group.places.values()]
    .toSorted((a, b) => a.id - b.id)
    .flatMap((place) => placeStatus(place, group, app, samples))
  return {
    release: release.id,
    version: release.version,
    path: release.path,
    role: group.name === app.active ? 'active' : 'standby',
    rssBytes: sumOf(workers.map(({ rssBytes }) => rssBytes)),
    traffic: measures.percentiles.of({ app: app.name, group: group.name, release: release.id }, app.clock.now()),
    workers,
  }
}

function sumOf(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null)
  return known.length === 0 ? null : known.reduce((sum, figure) => sum + figure, 0)
}

/** One row a process; one for the id when it has none. */
function placeStatus(place: Place, group: Group, app: App, samples: Samples): WorkerStatus[] {
  const processes = [...place.processes]
  if (processes.length === 0) return app.isStopped ? [] : [absent(place, group)]
  return processes.map((worker) => workerStatus(worker, place, samples))
}

function workerStatus(worker: WorkerHandle, place: Place, samples: Samples): WorkerStatus {
  const sample = samples.of(worker.pid)
  return {
    id: worker.id,
    pid: worker.pid,
    state: worker.state,
    restarts: place.restarts,
    crashes: place.crashes,
    cpuPercent: sample?.cpuPercent == null ? null : Math.round(sample.cpuPercent * 10) / 10,
    rssBytes: sample === null ? null : wholeRssBytes(sample),
    children: sample?.children ?? null,
    uptimeSeconds: seconds(worker.uptimeMs()),
    connections: worker.vitals?.connections ?? null,
    requests: worker.vitals?.requests ?? null,
    loopDelayMs: worker.vitals?.loopDelayMs ?? null,
    adopted: worker.adopted,
    generation: worker.generation.number,
    retryInSeconds: null,
  }
}

function absent(place: Place, group: Group): WorkerStatus {
  const { waiting } = place
  const state: WorkerState = waiting === null ? 'starting' : waiting.kind === 'ended' ? 'exited' : waiting.kind
  const isFinite = waiting !== null && Number.isFinite(waiting.until)
  return {
    id: place.id,
    pid: null,
    state,
    restarts: place.restarts,
    crashes: place.crashes,
    cpuPercent: null,
    rssBytes: null,
    children: null,
    uptimeSeconds: null,
    connections: null,
    requests: null,
    loopDelayMs: null,
    adopted: false,
    generation: group.generation.number,
    retryInSeconds: isFinite ? Math.max(0, seconds(waiting.until - group.clock.now())) : null,
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
