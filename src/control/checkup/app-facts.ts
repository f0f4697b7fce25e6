// One app of a supervisor that answers: whether a reload would take its config, whether its releases are still there, and
// whether somebody accepts where it should be reached.

import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { parseDuration } from '../../config/quantities.ts'
import { SuperviseError } from '../../errors.ts'
import { localHosts } from '../../supervisor/local-hosts.ts'
import type { InstanceClient } from '../client.ts'
import type { AppDescription, AppStatus, ConfigDiff, GroupStatus, ListenerStatus } from '../messages.ts'
import type { AppFacts, WorkerFacts } from './facts.ts'
import { limitsOf, openFilesOf } from './host-facts.ts'

/** A config that is code takes its time; the answer must not take more than that. */
const CONFIG_MS = 1_200
const CONNECT_MS = 500

export async function appFacts(app: AppStatus, client: InstanceClient): Promise<AppFacts> {
  const path = `/v1/apps/${encodeURIComponent(app.name)}`
  const [description, configProblem, unreachable] = await Promise.all([
    client.get<AppDescription>(path),
    problemOfConfig(path, client),
    unreachableOf(app),
  ])
  const groups = [app.groups.blue, app.groups.green].filter((group) => group !== null)
  const { options, script } = description.config
  return {
    name: app.name,
    state: app.state,
    reason: app.reason,
    workers: groups.flatMap(workersOf),
    wanted: app.instances,
    slots: app.listeners.reduce((sum, { slots }) => sum + slots, 0),
    isWatching: app.watching,
    missingPaths: [...new Set([...groups.map((group) => group.path), script])].filter((one) => !existsSync(one)),
    configProblem,
    unreachable,
    stopMs: durationIn(options, 'drainTimeout') + durationIn(options, 'killTimeout'),
  }
}

function workersOf({ workers }: GroupStatus): readonly WorkerFacts[] {
  return workers.flatMap(({ id, pid }) =>
    pid === null ? [] : [{ id, pid, openFiles: openFilesOf(pid), filesSoft: limitsOf(pid)?.filesSoft ?? null }],
  )
}

/** Not of the config, but of the supervisor, or of the way to it. */
const OF_THE_WAY = new Set([
  'SUPERVISOR_SILENT',
  'CONNECTION_LOST',
  'NOT_RUNNING',
  'NOT_PERMITTED',
  'OTHER_SCHEMA',
  'UNREADABLE_ANSWER',
  'UNKNOWN_APP',
  'UNKNOWN_ROUTE',
  'TOO_MANY_STREAMS',
  'INTERNAL',
])

/** What a reload would say. Null as well when it is not said in time. */
async function problemOfConfig(path: string, client: InstanceClient): Promise<string | null> {
  try {
    await client.get<ConfigDiff>(`${path}/diff`, {}, AbortSignal.timeout(CONFIG_MS))
    return null
  } catch (error) {
    return error instanceof SuperviseError && !OF_THE_WAY.has(error.code) ? error.message : null
  }
}

async function unreachableOf({ state, listeners }: AppStatus): Promise<readonly string[]> {
  if (state !== 'online' && state !== 'degraded' && state !== 'reloading') return []
  const isReached = await Promise.all(listeners.map(accepts))
  return listeners.filter((_, index) => !isReached[index]).map(textOf)
}

async function accepts({ address, port, path }: ListenerStatus): Promise<boolean> {
  if (path !== null) return connects({ path })
  const places = localHosts(address, null).map((host) => ({ host, port: port ?? 0 }))
  return (await Promise.all(places.map(connects))).includes(true)
}

function connects(place: { readonly path: string } | { readonly host: string; readonly port: number }) {
  const socket = connect({ ...place })
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.setTimeout(CONNECT_MS, () => resolve(false))
  }).finally(() => socket.destroy())
}

function textOf({ address, port, path }: ListenerStatus): string {
  return path ?? `${address?.includes(':') === true ? `[${address}]` : (address ?? '*')}:${port}`
}

function durationIn(options: Readonly<Record<string, unknown>>, name: string): number {
  const value = options[name]
  return typeof value === 'string' ? (parseDuration(value) ?? 0) : 0
}
