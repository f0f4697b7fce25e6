// Workers of an earlier supervisor that the state does not know, since it is broken or was never written: which of them
// live, and which of them an app that starts must wait for, so that nothing is forked beside a worker that serves.

import { ageMsOf, isSameProcess, startTimeOf } from '../state/process-identity.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { App } from './app.ts'
import { waitUntil, type Clock } from './clock.ts'
import type { LeftCommand, LeftWorker } from './left-workers.ts'
import type { Hello, Receive } from './link-desk.ts'
import type { WorkerChannel } from './worker-handle.ts'
import { isIncarnation } from './worker-proof.ts'

/** Refused ones dial again once a second; one that is stopped is not waited for longer than this. */
const WAIT_MS = 3000

interface Orphan {
  /** Whose it is; null until it has dialled in. */
  readonly app: string | null
  readonly pid: number | null
  readonly startTime: string | null
}

const UNHEARD: Orphan = { app: null, pid: null, startTime: null }

export class Orphans {
  readonly #clock: Clock
  readonly #known = new Map<string, Orphan>()
  #commands: readonly LeftWorker[] = []
  #take: Receive | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Incarnations that seem to live, and that nobody has accounted for. Commands do not dial in. */
  expect(incarnations: readonly string[], commands: readonly LeftWorker[] = []): void {
    for (const incarnation of incarnations) this.#known.set(incarnation, UNHEARD)
    this.#commands = commands
  }

  /** Those that are commands, of one app or of all; whoever has taken them answers for them. */
  takeCommands(app: string | null): readonly LeftWorker[] {
    const taken = this.#commands.filter(({ command }) => app === null || command?.app === app)
    this.#commands = this.#commands.filter((one) => !taken.includes(one))
    return taken
  }

  /** Its app may be started a moment later from the command line: it serves on meanwhile, and dials again. */
  receive(hello: Hello, channel: WorkerChannel, events: EventLog): boolean {
    const { settings, pid } = hello
    if (this.#take?.(hello, channel)) {
      this.found(settings.incarnation)
      return true
    }
    const { app, worker, incarnation } = settings
    if ((this.#known.get(incarnation) ?? UNHEARD).app !== null) return false
    this.#known.set(incarnation, { app, pid, startTime: startTimeOf(pid) })
    const text = `worker ${worker} (pid ${pid}) of "${app}" serves on without a supervisor; start "${app}" to take it back, or end it with \`kill ${pid}\``
    events.record({ type: 'orphanFound', app: null, text, cause: 'supervisor start' }, 'warn')
    return false
  }

  /** Nothing is to serve on: whoever dials in is given to `take`. */
  endAll(take: Receive): void {
    this.#take = take
  }

  /** An app has it. */
  found(incarnation: string): void {
    this.#known.delete(incarnation)
  }

  /** Whether there may be any of this app. */
  isAwaited(app: string): boolean {
    return [...this.#known.values()].some((orphan) => mayBeOf(orphan, app))
  }

  /** Resolves when each that may be this app's is found, or was waited for long enough. */
  async whenFound(app: string): Promise<void> {
    await waitUntil(this.#clock, WAIT_MS, () => !this.isAwaited(app))
    this.#giveUp(app)
  }

  /** Resolves when each has dialled in, or was waited for long enough. */
  async whenAllHeard(): Promise<void> {
    await waitUntil(this.#clock, WAIT_MS, () => [...this.#known.values()].every(({ app }) => app !== null))
  }

  #giveUp(app: string): void {
    for (const [incarnation, orphan] of this.#known) if (mayBeOf(orphan, app)) this.#known.delete(incarnation)
  }
}

function mayBeOf({ app, pid, startTime }: Orphan, wanted: string): boolean {
  return app === null || (app === wanted && pid !== null && isSameProcess(pid, startTime))
}

/** Waits for what may be this app's, and takes its commands back. */
export async function findOrphans(app: App, orphans: Orphans): Promise<void> {
  await orphans.whenFound(app.name)
  for (const left of orphans.takeCommands(app.name)) if (left.command !== null) adoptCommand(app, left, left.command)
}

/** As it is with a Node worker, but for what it would say itself. */
function adoptCommand(
  app: App,
  { pid, incarnation }: LeftWorker,
  { worker: id, group: name, release }: LeftCommand,
): void {
  const group = app.activeGroup
  const isOfIt = group.generation.config.isCommand && release === group.generation.release.id && name === group.name
  const goesOn = isOfIt && !app.isStopped && id <= group.wanted && group.isFree(id)
  const identity = { id: goesOn ? id : group.wanted + id, incarnation, generation: group.generation }
  const worker = app.adopt(identity, { pid, ageMs: ageMsOf(pid), wasReady: true })
  if (goesOn)
    return app.record('orphanAdopted', `worker ${id} (pid ${pid}) was found and serves on`, 'supervisor start')
  app.record(
    'orphanDrained',
    `worker ${id} (pid ${pid}) is of ${release}, which does not serve; it is drained`,
    'supervisor start',
  )
  worker.handle('drainWanted')
}

/**
 * Takes a worker back that the state does not know. While its app looks for such workers it goes on in its place, as of
 * the current generation, since nobody can tell what it was started from; later, or when its place is taken, the app has
 * sockets of its own, and the worker is drained.
 */
export function adoptOrphan(app: App, hello: Hello, channel: WorkerChannel): boolean {
  const { worker: id, incarnation, release } = hello.settings
  if (startTimeOf(hello.pid) === null || isIncarnation(hello.pid, incarnation) === false) return false
  const group = app.activeGroup
  // Another release than the last good one was never found good, or is no longer wanted.
  const isOfIt = release === group.generation.release.id && hello.settings.group === group.name
  const goesOn = isOfIt && app.isAdopting && !app.isStopped && id <= group.wanted && group.isFree(id)
  // In nobody's place: it goes when all are found, and none of them passes requests on to it any more.
  const goesLater = !isOfIt && app.isAdopting
  const identity = { id: goesLater ? group.wanted + id : id, incarnation, generation: group.generation }
  const worker = app.adopt(identity, { pid: hello.pid, ageMs: ageMsOf(hello.pid), wasReady: false })
  app.hello(hello, channel)
  // It may know of another group, of which nothing is left.
  if (app.standbyGroup === null && hello.route) app.routing.tell(worker)
  // Whoever accepts was found ready once; to ask again could end it for what is not its fault.
  if (hello.listeners.some(({ attached }) => attached.length > 0)) worker.handle('becameReady')
  if (goesOn) app.record('orphanAdopted', `worker ${id} (pid ${hello.pid}) was found and serves on`, 'supervisor start')
  else {
    const why = isOfIt ? 'was found too late' : `is of ${release}, which does not serve`
    app.record('orphanDrained', `worker ${id} (pid ${hello.pid}) ${why}; it is drained`, 'supervisor start')
    if (!goesLater) worker.handle('drainWanted')
  }
  return true
}
