// Finds which supervisor and which app a command is about: by name where one was given, else the only one there is.

import { connectInstance, type InstanceClient } from '../control/client.ts'
import { findInstances, PING_MS, type InstanceHandle } from '../control/find-instances.ts'
import { instanceDirectory, runtimeRoot } from '../control/instance-directory.ts'
import type { AppStatus, InstanceStatus } from '../control/messages.ts'
import { nearest } from '../config/suggest.ts'
import {
  appInSeveralInstances,
  appNotFound,
  noApps,
  nothingRuns,
  onlyDeadRun,
  severalApps,
  severalInstances,
  workerNotFound,
} from '../errors/cli.ts'
import { supervisorSilent } from '../errors/control.ts'
import type { Invocation } from './invocation.ts'
import { commandForLeft, lookAtLeft } from './left-instance.ts'
import { countOf } from './progress.ts'

export interface Instance {
  readonly name: string
  readonly client: InstanceClient
}

export interface AppTarget extends Instance {
  readonly app: AppStatus
}

/** A supervisor that cannot be asked: dead, or silent. */
export type Unreachable = Exclude<InstanceHandle, { readonly alive: true; readonly pong: object }>

/** All instances of this user that answer, and those that do not although something of them is left. */
export async function reachInstances({ instance, environment }: Invocation): Promise<{
  readonly live: readonly Instance[]
  readonly unreachable: readonly Unreachable[]
}> {
  const only = instance()
  const found = await findInstances(environment)
  const wanted = only === null ? found : found.filter(({ name }) => name === only)
  const live = wanted.filter((handle) => handle.alive && handle.pong !== null)
  const unreachable = wanted.filter((handle): handle is Unreachable =>
    handle.alive ? handle.pong === null : handle.workers > 0,
  )
  // Asking tells exactly what is wrong with an instance that was named.
  if (only !== null && live.length === 0 && unreachable.length === 0)
    return { live: [connect(only, environment)], unreachable: [] }
  return { live: live.map(({ name }) => connect(name, environment)), unreachable }
}

export function connect(name: string, environment: Invocation['environment']): Instance {
  return { name, client: connectInstance(instanceDirectory(name, environment)) }
}

export function readStatus({ client }: Instance): Promise<InstanceStatus> {
  return client.get<InstanceStatus>('/v1/status')
}

/** The one instance that a command without an app is about. */
export async function chooseInstance(invocation: Invocation): Promise<Instance> {
  const { live, unreachable } = await reachInstances(invocation)
  const [first, second] = live
  if (!first) throw notRunning(unreachable, invocation)
  if (second) throw severalInstances(live.map(({ name }) => name))
  return first
}

/** The app of this name, or the only app there is. */
export async function chooseApp(name: string | null, command: string, invocation: Invocation): Promise<AppTarget> {
  const targets = await findApps(invocation)
  const matching = name === null ? targets : targets.filter(({ app }) => app.name === name)
  const [first, second] = matching
  if (first && !second) return first
  const names = targets.map(({ app }) => app.name)
  if (name !== null && !first) throw appNotFound(name, names, nearest(name, names))
  if (!first) throw noApps(invocation.instance() ?? 'default')
  if (name !== null)
    throw appInSeveralInstances(
      name,
      matching.map((target) => target.name),
    )
  throw severalApps(
    matching.map((target) => `${target.app.name}  (instance ${target.name})`),
    `supervise ${command} ${first.app.name}`,
  )
}

/** Every app of every instance that answers. */
export async function findApps(invocation: Invocation): Promise<readonly AppTarget[]> {
  const { live, unreachable } = await reachInstances(invocation)
  if (live.length === 0) throw notRunning(unreachable, invocation)
  const perInstance = await Promise.all(
    live.map(async (instance) => {
      const { apps } = await readStatus(instance)
      return apps.map((app): AppTarget => ({ name: instance.name, client: instance.client, app }))
    }),
  )
  return perInstance.flat()
}

/** An app, and which of its workers: `web/2`, `web 2`, or `2` where there is one app. */
export async function chooseWorkers(
  words: { readonly target: string | undefined; readonly worker: string | undefined },
  command: string,
  invocation: Invocation,
): Promise<{ readonly target: AppTarget; readonly workers: readonly number[] | null }> {
  const { app, worker } = parseTarget(words.target, words.worker)
  const target = await chooseApp(app, command, invocation)
  if (worker === null) return { target, workers: null }
  const { blue, green } = target.app.groups
  const ids = [blue, green].flatMap((group) => group?.workers ?? []).map(({ id }) => id)
  if (!ids.includes(worker)) throw workerNotFound(target.app.name, worker, [...new Set(ids)])
  return { target, workers: [worker] }
}

export function parseTarget(
  target: string | undefined,
  worker?: string,
): { readonly app: string | null; readonly worker: number | null } {
  if (target === undefined) return { app: null, worker: null }
  if (worker !== undefined && /^\d+$/.test(worker)) return { app: target, worker: Number(worker) }
  if (/^\d+$/.test(target)) return { app: null, worker: Number(target) }
  const match = /^(?<app>.+)\/(?<worker>\d+)$/.exec(target)
  return match?.groups
    ? { app: match.groups['app'] ?? null, worker: Number(match.groups['worker']) }
    : { app: target, worker: null }
}

export function notRunning(unreachable: readonly Unreachable[], { environment, directory }: Invocation): Error {
  if (unreachable.length === 0) return nothingRuns(runtimeRoot(environment))
  const silent = unreachable.find(({ alive }) => alive)
  if (silent !== undefined) return supervisorSilent(silent.name, PING_MS)
  const dead = unreachable.filter((handle) => !handle.alive)
  return onlyDeadRun(
    dead.map(({ name }) => name),
    dead.map(describeUnreachable),
    dead.map((handle) => commandForLeft(lookAtLeft(handle), directory)),
  )
}

export function describeUnreachable(handle: Unreachable): string {
  return handle.alive
    ? `Instance ${handle.name}: its supervisor does not answer`
    : `Instance ${handle.name}: its supervisor is dead, ${orphansText(handle)}`
}

/** `2 workers still run (pids 411, 412)` */
export function orphansText({
  workers,
  pids,
}: Pick<Extract<Unreachable, { alive: false }>, 'workers' | 'pids'>): string {
  const numbers = pids.length === 0 ? '' : ` (${pids.length === 1 ? 'pid' : 'pids'} ${pids.join(', ')})`
  return `${countOf(workers, 'worker')} still ${workers === 1 ? 'runs' : 'run'}${numbers}`
}
