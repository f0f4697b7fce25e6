// Puts an instance together and runs it: directory, lock, supervisor, link, control socket, signals; and takes it apart
// again, in the other order.

import type { ConfigSource } from '../config/app-config.ts'
import { readConfig, type Elsewhere } from '../config/read-config.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { reached } from '../fault-points.ts'
import { EventJournal } from '../state/event-journal.ts'
import { releasesFile } from '../state/release-store.ts'
import { stateDirectory, whyNothingIsKept } from '../state/state-directory.ts'
import { heldOutputs } from '../telemetry/held-outputs.ts'
import { beginEnd, endOrphans } from '../supervisor/end-orphans.ts'
import type { StopTiming } from '../supervisor/supervisor-options.ts'
import type { EndedWorker, StrayWorkers } from '../supervisor/stray-workers.ts'
import { completeAdoption, stateOf } from '../supervisor/adoption.ts'
import type { App } from '../supervisor/app.ts'
import type { Places } from '../supervisor/instance.ts'
import { lastGoodOf } from '../supervisor/release-start.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { HandedSockets } from '../supervisor/handed-sockets.ts'
import type { AdminOptions } from './admin-server.ts'
import { Entrances } from './entrances.ts'
import { openInstanceDirectory, type InstanceDirectory } from './instance-directory.ts'
import { takeLock, type InstanceLock } from './instance-lock.ts'
import { openInstanceLog, type InstanceLog } from './instance-log.ts'
import { logFileOf } from './log-file.ts'
import { Keeper, takeAbsenceMs, type KeeperOptions } from './keeper.ts'
import { FirstProcess } from './first-process.ts'
import { findLeftFiles, removeTraces, sweep } from './left-files.ts'
import { expectOrphans, incarnationsOf, restore } from './restore.ts'
import { ServiceManager } from '../supervisor/service-manager.ts'
import type { KeptBy, OperationResult, ProgressLine } from './messages.ts'
import { SignalDesk } from './signal-desk.ts'
import { noteOwner, refuseSharedState } from './state-owner.ts'
import { StateWriter } from './state-writer.ts'
import { keepHeapSmall } from './small-heap.ts'
import { packageVersion } from './package-version.ts'
import { standIn } from './stand-in.ts'
import type { Succession } from './succession.ts'
import { loadAhead } from './load-ahead.ts'
import { noteUpgrade } from './note-upgrade.ts'
import { UpgradeDesk } from './upgrade-desk.ts'
import type { Go } from './upgrade-messages.ts'

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
  /** The supervisor whose place this one takes while it lives. */
  readonly succession?: Succession
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
/** A killed holder has it for a moment longer. */
const LOCK_MS = 1000
/**
 * Nobody would bring this one back a second time. The one before may have died in an upgrade, and the one that it started
 * has the lock until it notices.
 */
const BROUGHT_BACK_LOCK_MS = 10_000

/** Everything that an instance is made of. */
interface Parts {
  readonly options: RunOptions
  readonly signals: SignalDesk
  readonly directory: InstanceDirectory
  /** What the supervisor before said when it let go; null where none hands over. */
  readonly go: Go | null
  readonly log: InstanceLog
  readonly manager: ServiceManager
  readonly supervisor: Supervisor
  readonly entrances: Entrances
  readonly upgrades: UpgradeDesk
  readonly restored: readonly App[]
  readonly left: readonly string[]
  readonly strays: StrayWorkers | null
  keeper: Keeper | null
}

/** Runs an instance until nothing is left to run; resolves with the exit code. Throws what keeps it from starting. */
export async function runInstance(options: RunOptions): Promise<ExitCode> {
  // First of all: a signal while everything below is being made must not end the process (S15).
  const signals = new SignalDesk()
  keepHeapSmall()
  const parts = await putTogether(options, signals)
  const { supervisor, manager, entrances, strays } = parts
  const onFatal = (error: unknown): void => supervisor.internalError(error)
  process.on('uncaughtException', onFatal)
  process.on('unhandledRejection', onFatal)
  // Not before: a stop is one of everything that there is.
  signals.serve(supervisor)
  if (options.end === undefined) manager.follow(supervisor)
  await entrances.open()
  reached('adoption.open')
  if (parts.go === null) startKeeper(parts)
  let exitCode: ExitCode | null
  try {
    exitCode = strays === null ? await serve(parts) : await end(options, supervisor, parts.restored, strays)
  } finally {
    reached('stop.ended')
    await takeApart(parts)
    process.off('uncaughtException', onFatal)
    process.off('unhandledRejection', onFatal)
    if (parts.upgrades.successor !== null) await standIn(parts.upgrades.successor, signals)
    signals.close()
  }
  return exitCode ?? EXIT.ok
}

async function putTogether(options: RunOptions, signals: SignalDesk): Promise<Parts> {
  if (options.end === undefined) refuseSharedState(options.instance)
  const directory = openInstanceDirectory(options.instance)
  const { succession } = options
  const go = (await succession?.prepared()) ?? null
  const lockMs = (options.keeper?.parent ?? null) === null ? LOCK_MS : BROUGHT_BACK_LOCK_MS
  const lock = await takeLock(directory, lockMs, succession?.offer.pid)
  await claimState(options, directory, lock)
  reached('adoption.locked')
  const file = options.detached ? logFileOf(options.instance) : null
  // What a command that ends prints on stdout is its result.
  const log = openInstanceLog(options.logFormat, file, options.end === undefined ? 1 : 2)
  keepEvents(directory, log)
  for (const text of lock.notices)
    log.events.record({ type: 'lockNotice', app: null, text, cause: 'supervisor' }, 'warn')
  const first = new FirstProcess(log.events)
  for (const signal of first.missed) signals.receive(signal)
  const manager = new ServiceManager(log.events)
  const bringsBack = first.bringsBack || succession?.offer.isBroughtBack === true
  const handed = go === null ? {} : { handed: new HandedSockets(succession?.offer.listeners ?? [], go) }
  const keptBy = () => keptByOf(manager, parts.keeper, bringsBack)
  const supervisor = makeSupervisor(options, directory, log, { inherited: manager.inherited, ...handed, keptBy })
  const left = findLeftFiles(directory)
  const restored = restore(directory, supervisor, go !== null)
  expectOrphans(directory, supervisor)
  reached('adoption.read')
  const strays = options.end === undefined ? null : beginEnd(supervisor, options.end.now)
  const entrances = new Entrances({ directory, supervisor, log }, lock, options.admin)
  const upgrades = new UpgradeDesk({
    supervisor,
    entrances,
    signals,
    manager,
    offer: { ...offerOf(options), isBroughtBack: bringsBack },
    standIn: standInOf(options, manager),
    eventsWritten: () => log.events.goOnFrom(journalOf(directory, log)),
  })
  supervisor.upgrades = upgrades
  const made = { directory, go, log, manager, supervisor, entrances, upgrades, restored, left, strays }
  const parts: Parts = { options, signals, ...made, keeper: null }
  return parts
}

/** What only ends orphans may come beside a supervisor that has the state: it claims nothing. */
async function claimState(options: RunOptions, directory: InstanceDirectory, lock: InstanceLock): Promise<void> {
  try {
    // Once more: somebody may have come to it by another runtime directory while this one waited for its lock.
    if (options.end === undefined) refuseSharedState(options.instance)
    noteOwner(directory)
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** In the other order; where another supervisor is in charge, nothing of the instance itself. */
async function takeApart({ supervisor, keeper, manager, entrances, directory, log, upgrades }: Parts): Promise<void> {
  const hasLetGo = upgrades.successor !== null
  await supervisor.close()
  keeper?.close()
  if (hasLetGo) manager.leave()
  else await manager.close()
  await entrances.close()
  // Workers that nobody took back serve on: the next supervisor finds them by what is there.
  if (!hasLetGo && heldOutputs(directory.output).length === 0) removeTraces(directory)
  await log.close(FLUSH_MS)
  await entrances.releaseLock()
}

function startKeeper(parts: Parts): void {
  const { options, directory, supervisor } = parts
  parts.keeper = options.keeper === undefined ? null : keep(options.keeper, directory, supervisor)
}

/** What the next supervisor is to be: the same as this one, but that it starts nothing. */
function offerOf({ detached, keeper, logFormat, admin, stop }: RunOptions) {
  return { detached, isKept: keeper !== undefined, logFormat, admin, ...(stop !== undefined && { stop }) }
}

/** Whoever started it in the foreground waits for this very process, but for a service manager, which can be told. */
function standInOf({ detached, succession }: RunOptions, { isThere }: ServiceManager): number | 'new' | null {
  return succession === undefined ? (detached || isThere ? null : 'new') : succession.offer.standIn
}

async function serve(parts: Parts): Promise<ExitCode | null> {
  const { options, signals, supervisor, manager, restored, directory, go, upgrades } = parts
  const adopted = completeAdoption(restored, supervisor)
  signals.begun()
  const restarts = await adopted
  if (go !== null && options.succession !== undefined) {
    await manager.takeOver()
    options.succession.taken()
    startKeeper(parts)
    noteUpgrade(supervisor, options.succession.offer, go)
  }
  forgetDead(parts)
  // What the one before had open of a dead worker's output looked as if that lived.
  void options.succession?.alone.then(() => forgetDead(parts))
  const exitCode = await startApps(options, supervisor, restored, restarts)
  if (exitCode !== null) return exitCode
  // Brought back, and there is nothing that it was to do.
  const isNeeded = supervisor.apps.length > 0 || heldOutputs(directory.output).length > 0
  if (!isNeeded && (options.keeper?.parent ?? null) !== null) return EXIT.ok
  manager.ready()
  loadAhead()
  await Promise.race([supervisor.ended, upgrades.handedOver])
  return null
}

/** Whoever is not linked yet may be so in a moment, and tell its counts again: it holds its output. */
function forgetDead({ left, supervisor, directory }: Parts): void {
  sweep(left, incarnationsOf(supervisor), directory)
  supervisor.measures.keepOnly(new Set([...incarnationsOf(supervisor), ...heldOutputs(directory.output)]))
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

function keptByOf(manager: ServiceManager, keeper: Keeper | null, isBroughtBack: boolean): KeptBy {
  if (manager.isThere) return { who: 'systemd', pid: null }
  if (isBroughtBack) return { who: 'firstProcess', pid: 1 }
  return keeper === null ? { who: 'nobody', pid: null } : { who: 'keeper', pid: keeper.pid }
}

async function end(options: RunOptions, supervisor: Supervisor, apps: readonly App[], strays: StrayWorkers) {
  const now = options.end?.now === true
  options.end?.onEnd(await endOrphans(apps, supervisor, strays, now))
  return null
}

function journalOf(directory: InstanceDirectory, { events }: InstanceLog): EventJournal {
  const complain = (text: string) =>
    events.record({ type: 'internalError', app: null, text, cause: 'supervisor' }, 'error')
  return new EventJournal(stateDirectory(directory.name), { complain })
}

/** From the first event on: they are numbered on from those of the supervisor before. */
function keepEvents(directory: InstanceDirectory, log: InstanceLog): void {
  const place = stateDirectory(directory.name)
  const why = whyNothingIsKept(place)
  log.events.keepIn(journalOf(directory, log))
  if (why === null) return
  const text = `releases, counts, crashes and events are lost with this supervisor: nothing can be kept in ${place}, since ${why}; set XDG_STATE_HOME to a directory that may be written to`
  log.events.record({ type: 'stateDirectoryUnusable', app: null, text, cause: 'supervisor' }, 'warn')
}

function makeSupervisor(
  options: RunOptions,
  directory: InstanceDirectory,
  log: InstanceLog,
  given: Pick<Places, 'inherited' | 'handed'> & { readonly keptBy: () => KeptBy },
): Supervisor {
  const writer = new StateWriter(directory, log.events, () => supervisor.saveNow())
  const supervisor: Supervisor = new Supervisor({
    name: directory.name,
    version: packageVersion(),
    detached: options.detached,
    places: {
      linkPath: directory.linkSocket,
      endpointDirectory: directory.endpoints,
      outputDirectory: directory.output,
      inherited: given.inherited,
      ...(given.handed !== undefined && { handed: given.handed }),
    },
    keptBy: given.keptBy,
    ...(options.stop !== undefined && { stop: options.stop }),
    releasesFile: releasesFile(directory.name),
    stateDirectory: stateDirectory(directory.name),
    events: log.events,
    logs: log.desk,
    save: (apps, isEnding) => {
      // Another supervisor may have it by now.
      if (!supervisor.clock.isStopped) writer.write(stateOf(directory.name, apps, isEnding))
    },
  })
  return supervisor
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
