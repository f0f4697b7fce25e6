// Which places a probe asks: a URL, the app's public address, and the private endpoint of each worker that serves.

import type { Probe } from '../config/app-config.ts'
import type { GroupName, Speech } from '../protocol/messages.ts'
import { PROBE_HEADER } from '../protocol/probe-header.ts'
import type { Listener } from '../sockets/listener.ts'
import type { App } from './app.ts'
import { placesOfCommand } from './command-place.ts'
import { localHosts } from './local-hosts.ts'
import type { Place, Question } from './probe-question.ts'
import type { WorkerHandle } from './worker-handle.ts'

export interface ProbeTarget {
  readonly probe: Probe
  /** `url`, `public`, or a worker by group and id. */
  readonly name: string
  /** The same without the worker, for what is counted for ever. */
  readonly kind: 'url' | 'public' | 'worker'
  /** In words. */
  readonly where: string
  readonly worker: WorkerHandle | null
  /** All must be answered well: an app may listen at several addresses. */
  readonly questions: readonly Question[]
}

export const HEADERS = { host: 'localhost', 'user-agent': 'supervise' }

/** `places` are the app's public ones, as they were when somebody served there last. */
export function targetsOf(app: App, places: readonly Place[], secret: string): readonly ProbeTarget[] {
  return app.config.probes.flatMap((probe) => {
    if (probe.what.by === 'url') return [urlTarget(probe, new URL(probe.what.url))]
    const { path } = probe.what
    const marked = { [PROBE_HEADER]: secret, ...HEADERS }
    const questions = places.map((place) => questionOf(probe, place, path, marked))
    const isThere = places.length > 0
    const open: ProbeTarget = {
      probe,
      name: 'public',
      kind: 'public',
      where: 'its public address',
      worker: null,
      questions,
    }
    return [...(isThere ? [open] : []), ...servingWorkers(app).flatMap((worker) => workerTarget(probe, path, worker))]
  })
}

/** Of a target that is not asked at the moment: whether it may be again. */
export function mayBeBack(app: App, name: string): boolean {
  const [group, id] = name.split(' ')
  return id === undefined ? true : group === app.active && Number(id) <= app.activeGroup.wanted
}

/** Where clients of the app come in, by what its serving workers say; null when none serves. */
export function publicPlaces(app: App): readonly Place[] | null {
  const workers = servingWorkers(app)
  if (workers.length === 0) return null
  if (app.config.isCommand) return placesOfCommand(app.config)
  return app.lending.places().flatMap((listener) => {
    const speaks = workers.map(({ speech }) => speech.get(listener.key)).find((one) => one !== undefined)
    return speaks === undefined || speaks === null ? [] : [{ speaks, to: addressOf(listener), name: null }]
  })
}

export function workerName({ generation, id }: { generation: { group: GroupName }; id: number }): string {
  return `${generation.group} ${id}`
}

/** One for each id: while it is replaced, the old process until the new one serves. */
function servingWorkers({ activeGroup: { wanted, places } }: App): readonly WorkerHandle[] {
  return Array.from({ length: wanted }, (_, at) => [...(places.get(at + 1)?.processes ?? [])]).flatMap(
    (processes) => processes.findLast(({ state }) => state === 'serving') ?? [],
  )
}

function urlTarget(probe: Probe, url: URL): ProbeTarget {
  const speaks = url.protocol === 'https:' ? 'https' : 'http'
  const port = url.port === '' ? (speaks === 'https' ? 443 : 80) : Number(url.port)
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  const place: Place = { speaks, to: { host, port }, name: host }
  const headers = { host: url.host, 'user-agent': HEADERS['user-agent'], accept: '*/*' }
  const question = questionOf(probe, place, `${url.pathname}${url.search}`, headers)
  return { probe, name: 'url', kind: 'url', where: `${url.origin}${url.pathname}`, worker: null, questions: [question] }
}

/** Behind its TLS, if it has any. */
const BEHIND: Readonly<Record<Speech, Speech>> = { http: 'http', https: 'http', h2: 'h2c', h2c: 'h2c' }

function workerTarget(probe: Probe, path: string, worker: WorkerHandle): ProbeTarget[] {
  const questions = [...worker.endpoints].flatMap(([key, endpoint]) => {
    const speaks = worker.speech.get(key)
    if (speaks === undefined || speaks === null) return []
    return [questionOf(probe, { speaks: BEHIND[speaks], to: { path: endpoint }, name: null }, path, HEADERS)]
  })
  if (questions.length === 0) return []
  return [{ probe, name: workerName(worker), kind: 'worker', where: `worker ${worker.id}`, worker, questions }]
}

function questionOf(probe: Probe, place: Place, path: string, headers: Question['headers']): Question {
  const { withinMs, status, body } = probe
  return { place, path, headers, withinMs, status, body }
}

const IPV6_ONLY = 1

/** One at which every listener on any address can be reached from here. */
function addressOf({ request, name }: Pick<Listener, 'request' | 'name'>): Place['to'] {
  const { address, addressType, flags } = request
  if (addressType === -1) return { path: address ?? '' }
  const [host] = localHosts(address, addressType === 6 && (flags & IPV6_ONLY) !== 0)
  return { host, port: name.port ?? request.port }
}
