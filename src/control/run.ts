// Puts an instance together and runs it: directory, lock, supervisor, link, control socket, signals; and takes it apart
// again, in the other order.

import { rmSync } from 'node:fs'
import type { ConfigSource } from '../config/app-config.ts'
import { messageOf } from '../config/failure.ts'
import { readConfig, type Elsewhere } from '../config/read-config.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { reached } from '../fault-points.ts'
import { readState, type InstanceState } from '../state/instance-state.ts'
import { EventJournal } from '../state/event-journal.ts'
import { releasesFile } from '../state/release-store.ts'
import { stateDirectory, whyNothingIsKept } from '../state/state-directory.ts'
import { heldOutputs } from '../telemetry/held-outputs.ts'
import { beginEnd, endOrphans } from '../supervisor/end-orphans.ts'
import type { StopTiming } from '../supervisor/supervisor-options.ts'
import type { EndedWorker, StrayWorkers } from '../supervisor/stray-workers.ts'
import { completeAdoption, restoreApps, stateOf } from '../supervisor/adoption.ts'
import type { App } from '../supervisor/app.ts'
import { leftWorkersOf } from '../supervisor/left-workers.ts'
import { LinkGuard } from '../supervisor/link-guard.ts'
import { openLinkDesk } from '../supervisor/link-desk.ts'
import { lastGoodOf } from '../supervisor/release-start.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { startAdminServer, type AdminOptions, type AdminServer } from './admin-server.ts'
import { openInstanceDirectory, type InstanceDirectory } from './instance-directory.ts'
import { takeLock } from './instance-lock.ts'
import { openInstanceLog, type InstanceLog } from './instance-log.ts'
import { logFileOf } from './log-file.ts'
import { Keeper, takeAbsenceMs, type KeeperOptions } from './keeper.ts'
import { FirstProcess } from './first-process.ts'
import { findLeftFiles, sweep } from './left-files.ts'
import { ServiceManager } from '../supervisor/service-manager.ts'
import type { KeptBy, OperationResult, ProgressLine } from './messages.ts'
import { KeptEntrance } from './reachability.ts'
import { answeringFor, LIMITS, startControlServer, type ControlServer } from './server.ts'
import { SignalDesk } from './signal-desk.ts'
import { StateWriter } from './state-writer.ts'
import { keepHeapSmall } from './small-heap.ts'
import { packageVersion } from './package-version.ts'

export interface RunOptions {
  readonly instance: string
  /** Apps to start at once; a detached instance gets its apps over the control socket. */
  readonly sources: readonly ConfigSource[]
  /** Forgets the past releases of these apps. */
  readonly fresh?: boolean
  readonly detached: boolean
  readonly logFormat: 'auto' | 'json' | 'pretty'
  /** A TCP address beside the control socket. */
  readonly admin: AdminOptions | null
  readonly stop?: StopTiming
  /** Takes workers of an earlier supervisor back only to end them, and starts nothing. */
  readonly end?: EndOptions
  /** Left out where a service manager or a terminal is what starts it again, or nobody. */
  readonly keeper?: KeeperOptions
  /** Sees how the start goes, results too. */
  readonly onProgress: (line: ProgressLine) => void
}

export interface EndOptions {
  /** Without draining them. */
  readonly now: boolean
  readonly onEnd: (workers: readonly EndedWorker[]) => void
}

export type { EndedWorker, StopTiming }

const FLUSH_MS = 2000

/** Runs an instance until nothing is left to run; resolves with the exit code. Throws what keeps it from starting. */
export async function runInstance(options: RunOptions): Promise<ExitCode> {
  // First of all: a signal while everything below is being made must not end the process (S15).
  const signals = new SignalDesk()
  keepHeapSmall()
  const directory = openInstanceDirectory(options.instance)
  const lock = await takeLock(directory)
  reached('adoption.locked')
  const file = options.detached ? logFileOf(options.instance) : null
  // What a command that ends prints on stdout is its result.
  const log = openInstanceLog(options.logFormat, file, options.end === undefined ? 1 : 2)
  keepEvents(directory, log)
  for (const text of lock.notices)
    log.events.record({ type: 'lockNotice', app: null, text, cause: 'supervisor' }, 'warn')
  const first = new FirstProcess(log.events)
  const manager = new ServiceManager(log.events)
  let keeper: Keeper | null = null
  const keptBy = () => keptByOf(manager, keeper, first)
  const supervisor = makeSupervisor(options, directory, log, { inherited: manager.inherited, keptBy })
  const onFatal = (error: unknown): void => supervisor.internalError(error)
  process.on('uncaughtException', onFatal)
  process.on('unhandledRejection', onFatal)

  const left = findLeftFiles(directory)
  const restored = restore(directory, supervisor)
  expectOrphans(directory, supervisor)
  reached('adoption.read')
  const strays = options.end === undefined ? null : beginEnd(supervisor, options.end.now)
  // Not before: a stop is one of everything that there is.
  signals.serve(supervisor)
  if (options.end === undefined) manager.follow(supervisor)
  const admin = await openAdmin(options.admin, supervisor, log)
  const { link, control } = await openEntrances(directory, supervisor, log)
  reached('adoption.open')
  keeper = options.keeper === undefined ? null : keep(options.keeper, directory, supervisor)
  let exitCode: ExitCode | null
  try {
    exitCode =
      strays === null
        ? await serve(options, supervisor, manager, { restored, left, directory })
        : await end(options, supervisor, restored, strays)
  } finally {
    reached('stop.ended')
    await supervisor.close()
    keeper?.close()
    await manager.close()
    await admin?.close()
    await control.close()
    await link.close()
    // Workers that nobody took back serve on: the next supervisor finds them by what is there.
    if (heldOutputs(directory.output).length === 0) removeTraces(directory)
    await log.close(FLUSH_MS)
    await lock.release()
    process.off('uncaughtException', onFatal)
    process.off('unhandledRejection', onFatal)
    signals.close()
  }
  return exitCode ?? EXIT.ok
}

interface Found {
  readonly restored: readonly App[]
  readonly left: readonly string[]
  readonly directory: InstanceDirectory
}

async function serve(options: RunOptions, supervisor: Supervisor, manager: ServiceManager, found: Found) {
  const { restored, left, directory } = found
  const restarts = await completeAdoption(restored, supervisor)
  sweep(left, incarnationsOf(supervisor), directory)
  // Whoever is not linked yet may be so in a moment, and tell its counts again.
  supervisor.measures.keepOnly(new Set([...incarnationsOf(supervisor), ...heldOutputs(directory.output)]))
  const exitCode = await startApps(options, supervisor, restored, restarts)
  if (exitCode !== null) return exitCode
  // Brought back, and there is nothing that it was to do.
  const isNeeded = supervisor.apps.length > 0 || heldOutputs(directory.output).length > 0
  if (!isNeeded && (options.keeper?.parent ?? null) !== null) return EXIT.ok
  manager.ready()
  await supervisor.ended
  return null
}

function keep(options: KeeperOptions, directory: InstanceDirectory, supervisor: Supervisor): Keeper {
  const { eventLog } = supervisor
  const keeper = new Keeper(directory, options, eventLog)
  const absentMs = takeAbsenceMs(directory)
  if (options.parent === null || absentMs === null) return keeper
  const text = `the supervisor before this one died; brought back after ${absentMs} ms`
  eventLog.record({ type: 'supervisorBroughtBack', app: null, text, cause: 'keeper', data: { absentMs } }, 'warn')
  return keeper
}

function keptByOf(manager: ServiceManager, keeper: Keeper | null, first: FirstProcess): KeptBy {
  if (manager.isThere) return { who: 'systemd', pid: null }
  if (first.bringsBack) return { who: 'firstProcess', pid: 1 }
  return keeper === null ? { who: 'nobody', pid: null } : { who: 'keeper', pid: keeper.pid }
}

async function end(options: RunOptions, supervisor: Supervisor, apps: readonly App[], strays: StrayWorkers) {
  const now = options.end?.now === true
  options.end?.onEnd(await endOrphans(apps, supervisor, strays, now))
  return null
}

/** From the first event on: they are numbered on from those of the supervisor before. */
function keepEvents(directory: InstanceDirectory, { events }: InstanceLog): void {
  const complain = (text: string) =>
    events.record({ type: 'internalError', app: null, text, cause: 'supervisor' }, 'error')
  const place = stateDirectory(directory.name)
  const why = whyNothingIsKept(place)
  events.keepIn(new EventJournal(place, { complain }))
  if (why === null) return
  const text = `releases, counts, crashes and events are lost with this supervisor: nothing can be kept in ${place}, since ${why}; set XDG_STATE_HOME to a directory that may be written to`
  events.record({ type: 'stateNotKept', app: null, text, cause: 'supervisor' }, 'warn')
}

/** Before anything is started: whoever asked for an address that cannot be had shall know it. */
async function openAdmin(
  options: AdminOptions | null,
  supervisor: Supervisor,
  log: InstanceLog,
): Promise<AdminServer | null> {
  if (options === null) return null
  const onError = (error: unknown, request: string) =>
    supervisor.internalError(new Error(`${request}: ${String(error)}`))
  const server = await startAdminServer(answeringFor(supervisor, LIMITS, onError), options)
  const text = `metrics, probes and the control API at ${server.url}${options.token === null ? ', which changes nothing' : ''}`
  log.events.record({ type: 'adminOpened', app: null, text, cause: 'option admin' })
  return server
}

/** Both are opened again when somebody deletes them under a supervisor that lives. */
async function openEntrances(directory: InstanceDirectory, supervisor: Supervisor, log: InstanceLog) {
  const guard = new LinkGuard(log.events)
  const openLink = () =>
    openLinkDesk(
      directory.linkSocket,
      (hello, channel) => guard.admits(hello) && supervisor.hello(hello, channel),
      (text) => log.events.record({ type: 'linkMissing', app: null, text, cause: 'supervisor' }, 'warn'),
    )
  const openControl = (): Promise<ControlServer> =>
    startControlServer(directory, supervisor, {
      onError: (error, request) => supervisor.internalError(new Error(`${request}: ${String(error)}`)),
    })
  const found = (path: string) => (error: unknown) => {
    const text = error === null ? `${path} was deleted, and is there again` : `${path} was deleted: ${messageOf(error)}`
    log.events.record({ type: 'runtimeDeleted', app: null, text, cause: 'supervisor' }, 'warn')
    supervisor.saveSoon()
  }
  const { linkSocket, controlSocket } = directory
  return {
    link: new KeptEntrance(directory, { path: linkSocket, open: openLink }, openLink(), found(linkSocket)),
    control: new KeptEntrance(
      directory,
      { path: controlSocket, open: openControl },
      await openControl(),
      found(controlSocket),
    ),
  }
}

function makeSupervisor(
  options: RunOptions,
  directory: InstanceDirectory,
  log: InstanceLog,
  given: { readonly inherited: ServiceManager['inherited']; readonly keptBy: () => KeptBy },
): Supervisor {
  const writer = new StateWriter(directory, log.events, () => supervisor.saveNow())
  const supervisor = new Supervisor({
    name: directory.name,
    version: packageVersion(),
    detached: options.detached,
    places: {
      linkPath: directory.linkSocket,
      endpointDirectory: directory.endpoints,
      outputDirectory: directory.output,
      inherited: given.inherited,
    },
    keptBy: given.keptBy,
    ...(options.stop !== undefined && { stop: options.stop }),
    releasesFile: releasesFile(directory.name),
    stateDirectory: stateDirectory(directory.name),
    events: log.events,
    logs: log.desk,
    save: (apps, isEnding) => writer.write(stateOf(directory.name, apps, isEnding)),
  })
  return supervisor
}

/** What an earlier supervisor of this instance left; a file that cannot be used costs its knowledge, not the start. */
function restore(directory: InstanceDirectory, supervisor: Supervisor): readonly App[] {
  const read = readState(directory.stateFile, directory.name)
  // One that ends as it was asked to leaves none.
  if (read.kind !== 'none') supervisor.measures.supervisorRestarted()
  const complain = (problem: string): readonly App[] => {
    supervisor.internalError(new Error(`cannot use ${directory.stateFile}: ${problem}; started without it`))
    return []
  }
  if (read.kind === 'unusable') return complain(read.problem)
  return read.kind === 'none' ? [] : restoreFrom(read.state, supervisor, complain)
}

function restoreFrom(
  state: InstanceState,
  supervisor: Supervisor,
  complain: (problem: string) => readonly App[],
): readonly App[] {
  try {
    return restoreApps(state, supervisor)
  } catch (error) {
    return complain(String(error))
  }
}

/** Whoever lives; the state should know it, and may not, and the whole directory may have been wiped. */
function expectOrphans(directory: InstanceDirectory, supervisor: Supervisor): void {
  const known = new Set(incarnationsOf(supervisor))
  const found = leftWorkersOf(directory.path).filter(({ incarnation }) => !known.has(incarnation))
  const commands = found.filter(({ command }) => command !== null)
  for (const { incarnation } of commands) known.add(incarnation)
  const living = new Set([...heldOutputs(directory.output), ...found.map(({ incarnation }) => incarnation)])
  supervisor.orphans.expect(
    [...living].filter((incarnation) => !known.has(incarnation)),
    commands,
  )
}

function incarnationsOf({ apps }: Supervisor): readonly string[] {
  return apps.flatMap((app) => [...app.processes()].map(({ incarnation }) => incarnation))
}

/** Null when something runs; else the exit code of a start that left nothing running. */
async function startApps(
  options: RunOptions,
  supervisor: Supervisor,
  restored: readonly App[],
  restarts: readonly Promise<OperationResult>[],
): Promise<ExitCode | null> {
  const known = new Set(restored.filter((app) => !app.isStopped).map((app) => app.name))
  const results: OperationResult[] = []
  try {
    const sources = await sourcesNotRunning(options.sources, known, supervisor)
    if (sources.length > 0) {
      results.push(
        ...(await supervisor.start(
          { sources, fresh: options.fresh === true },
          { cause: 'command start', progress: options.onProgress },
        )),
      )
    } else beginUnlessAwaited(options, supervisor)
    results.push(...(await Promise.all(restarts)))
  } catch (error) {
    // A signal came while it began: it ends as it was asked to, and that is no failure.
    if (supervisor.isEnding) return null
    if (known.size === 0 && !options.detached) {
      await supervisor.shutdown({ now: true }, { cause: 'failed start', progress: () => {} })
      throw error
    }
    beginUnlessAwaited(options, supervisor)
    supervisor.internalError(error)
  }
  for (const result of results) options.onProgress({ type: 'result', result })
  const failed = results.find((result) => !result.ok)
  const isNothingLeft = supervisor.apps.every((app) => app.isStopped)
  if (options.detached || !isNothingLeft || failed === undefined || supervisor.isEnding) return null
  return failed.error?.exitCode ?? EXIT.failed
}

/** The apps of a new supervisor in the background are still to come, over the control socket. */
function beginUnlessAwaited({ detached }: RunOptions, supervisor: Supervisor): void {
  if (!detached || supervisor.apps.length > 0) supervisor.isBeginning = false
}

/** Without those of apps that run already: a supervisor started again has adopted them. */
async function sourcesNotRunning(
  sources: readonly ConfigSource[],
  running: ReadonlySet<string>,
  supervisor: Supervisor,
): Promise<readonly ConfigSource[]> {
  if (running.size === 0) return sources
  // What the configuration of one that was moved to another release points at may be gone.
  const elsewhere: Elsewhere = ({ name }) =>
    supervisor.apps.find((app) => app.name === name)?.config ?? lastGoodOf(supervisor.releases.books, name)
  const configs = await Promise.all(sources.map((source) => readConfig(source, elsewhere)))
  return sources.filter((_source, index) => !running.has(configs[index]?.name ?? ''))
}

/** Nothing of ours lives any more, so nothing is left that a next start could adopt. */
function removeTraces(directory: InstanceDirectory): void {
  try {
    rmSync(directory.path, { recursive: true, force: true })
  } catch {
    // Emptied; the directory itself is the service manager's.
  }
}
