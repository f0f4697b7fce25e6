// The story of each operation on one app: what `start`, `reload`, `restart`, `scale` and `stop` do, in order.

import type { AppConfig } from '../config/app-config.ts'
import { availableCpus } from '../config/cpu-limit.ts'
import { messageOf } from '../config/failure.ts'
import type { OperationResult, RestartRequest, ScaleRequest, StopRequest } from '../control/messages.ts'
import type { ReloadPlan } from '../core/reload.ts'
import {
  operationAborted,
  reloadMixed,
  reloadRefused,
  startFailed,
  unknownWorker,
  appRenamed,
  whatServes,
} from '../errors/app.ts'
import { EXIT, SuperviseError } from '../errors.ts'
import { reached } from '../fault-points.ts'
import type { App } from './app.ts'
import { closeUnused, placesInWords } from './app-listeners.ts'
import type { Group } from './group.ts'
import { countOf, labelOf, range, Report, serves } from './operation-report.ts'
import type { Body, Tell } from './operation-runner.ts'
import type { LimitName } from './health-watch.ts'
import { opensItsPort, refuseSecondOfOwnPort } from './own-port.ts'
import { placeOfRelease } from './release-path.ts'
import type { ReplacementResult } from './replacement.ts'
import { parseScale } from './scale-wish.ts'
import type { WorkerHandle } from './worker-handle.ts'
import { makeGeneration, startsDifferently, type Generation } from './worker-spec.ts'

/** A process that blocks its loop for longer than this right after it got ready is not taken for one that serves. */
const ANSWER_MS = 10_000

/** Starts every worker, all or none; where an earlier supervisor left some that serve, what is missing beside them. */
export function startBody(app: App): Body {
  return async (tell, cause) => {
    const report = new Report(app, 'start', tell)
    const group = app.activeGroup
    // A stop came while workers of an earlier supervisor were waited for.
    if (app.isStopped) return report.fail(operationAborted(app.name, 'start'))
    app.adoptionOver()
    const found = [...app.processes()].length
    if (found > 0) {
      group.reconcile()
      const text = `${serves(found)} on, left by an earlier supervisor`
      app.record('adopted', text, cause)
      return report.succeed(text)
    }
    const ids = range(1, group.wanted)
    app.record('startRequested', `starting ${countOf(ids.length)}`, cause)
    report.begin(`starting ${countOf(ids.length)}`, ids.length)
    const plan = { surge: ids.length, booting: ids.length, minReadyMs: 0, answerMs: ANSWER_MS, restorable: false }
    const result = await group.replace(ids, group.generation, plan, report.step).result
    if (result.aborted) return report.fail(operationAborted(app.name, 'start'))
    if (result.outcome === 'moved') {
      const text = `${serves(ids.length)}${placesInWords(app)}`
      app.record('started', text, cause)
      return report.succeed(text)
    }
    const why = app.explain(result.failed)
    await app.end('now')
    app.failedToStart(why.text)
    app.record('startFailed', why.text, cause, 'error')
    return report.fail(startFailed(app.name, why.text, why.advice, why.lines))
  }
}

/** Reads the configuration again, whole, and replaces every worker. */
export function reloadBody(app: App): Body {
  return async (tell, cause) => {
    const report = new Report(app, 'reload', tell)
    let target: Generation
    try {
      target = await nextGeneration(app)
    } catch (error) {
      app.record('reloadRefused', `the configuration is refused: ${messageOf(error)}`, cause, 'error')
      return report.fail(asSuperviseError(error, app))
    }
    return moveTo(app, target, report, cause)
  }
}

/** Replaces every worker of the active group by one of this generation. */
export async function moveTo(app: App, target: Generation, report: Report, cause: string): Promise<OperationResult> {
  const group = app.activeGroup
  // A stop came while the configuration was read: nothing may be started beside it.
  if (group.isStopping) return report.fail(operationAborted(app.name, 'reload'))
  const wanted = wantedOf(target.config, app)
  const ids = range(1, wanted)
  reached('reload.begun')
  app.record('reloadStarted', `reloading ${countOf(ids.length)}`, cause)
  report.begin(
    `${moveInWords(group.generation, target)}  rolling, ${countOf(ids.length)}${portWords(target.config)}`,
    ids.length,
  )
  const plan = planOf(target.config, wanted, startsDifferently(group.generation, target))
  const result = await replaceAndMeasure(app, group, ids, target, plan, report)
  if (result.aborted) return report.fail(operationAborted(app.name, 'reload'))
  if (result.outcome === 'kept') {
    // What was refused may still have clients: as long as it is there, not only the old code answers.
    await group.whenGone([...group.processes()].filter(({ generation }) => generation === target))
  }
  if (result.outcome !== 'moved') return reloadFailed(app, result, report, cause)
  const before = group.generation
  reached('reload.replaced')
  await adoptGeneration(app, group, target, wanted)
  app.record('reloaded', `generation ${target.number} serves with ${countOf(wanted)}`, cause)
  const isSame = target.release.id === before.release.id
  return report.succeed(`${serves(wanted)}, ${isSame ? `generation ${target.number}` : labelOf(target.release)}`)
}

/** What a person should know before clients notice. */
function portWords(config: AppConfig): string {
  return opensItsPort(config) ? '; the old process ends first, as it is given no sockets (listen)' : ''
}

/** A reload keeps the release, and reads its code again. */
function moveInWords(from: Generation, to: Generation): string {
  if (from.release.id === to.release.id) return `g${from.number} → g${to.number}`
  return `${labelOf(from.release)} → ${labelOf(to.release)}`
}

async function nextGeneration(app: App): Promise<Generation> {
  const group = app.activeGroup
  const { release, isPinned, own, config: running } = group.generation
  const config = await app.readConfig(() => (isPinned ? running : null))
  if (config.name !== app.name) throw appRenamed(app.name, config.name)
  const next = isPinned ? { ...config, ...placeOfRelease(running, config) } : config
  return makeGeneration(app.nextGenerationNumber(), group.name, release.id, next, {
    isPinned,
    own,
    // It is what it was deployed as, whatever its files say by now.
    ...(isPinned && { version: release.version }),
  })
}

async function adoptGeneration(app: App, group: Group, target: Generation, wanted: number): Promise<void> {
  group.generation = target
  app.adoption = null
  group.wanted = wanted
  app.generationChanged()
  reached('reload.moved')
  const surplus = [...group.processes()].filter((worker) => worker.id > wanted)
  group.reconcile()
  scaleOther(app, group, wanted)
  await group.whenGone(surplus.filter((worker) => !worker.isLingering))
  closeUnused(app)
}

function reloadFailed(app: App, result: ReplacementResult, report: Report, cause: string): OperationResult {
  const why = app.explain(result.failed)
  const { serving, wanted } = app.counts()
  if (result.outcome === 'kept') {
    app.record('reloadRefused', `${why.text}; the old code serves on`, cause, 'error')
    return report.fail(reloadRefused(app.name, why.text, serving, wanted, why.advice, why.lines))
  }
  app.record('reloadMixed', `${why.text}; new and old code serve side by side`, cause, 'error')
  return report.fail(reloadMixed(app.name, why.text, why.lines))
}

/** Replaces some workers, or all, by processes of the same generation. */
export function restartBody(app: App, request: RestartRequest): Body {
  return (tell, cause) => replaceSome(app, app.activeGroup, { ...request, kind: 'restart' }, { tell, cause })
}

async function replaceSome(
  app: App,
  group: Group,
  request: RestartRequest & { readonly kind: 'restart' | 'recycle' },
  { tell, cause }: { readonly tell: Tell; readonly cause: string },
): Promise<OperationResult> {
  const { kind } = request
  const report = new Report(app, 'restart', tell)
  const known = range(1, group.wanted)
  const ids = request.workers ?? known
  for (const id of ids) if (!known.includes(id)) throw unknownWorker(app.name, id, known)
  app.record(kind === 'restart' ? 'restartStarted' : 'recycleStarted', `replacing ${idsInWords(ids, known)}`, cause)
  report.begin(`replacing ${idsInWords(ids, known)}${portWords(group.generation.config)}`, ids.length)
  const plan = planOf(group.generation.config, ids.length, false)
  const result = await replaceAndMeasure(app, group, ids, group.generation, plan, report)
  if (result.aborted) return report.fail(operationAborted(app.name, kind))
  if (result.outcome !== 'moved') return reloadFailed(app, result, report, cause)
  app.record(kind === 'restart' ? 'restarted' : 'recycled', `${idsInWords(ids, known)} replaced`, cause)
  return report.succeed(`${countOf(ids.length)} replaced`)
}

/** Asks for the replacement of a worker that is over a limit; resolves with whether it was replaced. */
export async function recycle(app: App, worker: WorkerHandle, limit: LimitName, value: number): Promise<boolean> {
  const cause = `policy ${limit}`
  if (limit === 'replaceAdopted')
    app.record('adoptedReplaced', `worker ${worker.id} is an earlier supervisor's; it is replaced`, cause)
  else app.record('limitReached', `worker ${worker.id} is over ${limit} (${Math.round(value)}); it is replaced`, cause)
  try {
    const body = recycleBody(app, worker)
    return (await app.operations.run('recycle', String(worker.id), { cause, progress: () => {} }, body)).ok
  } catch {
    // A stop was first.
    return false
  }
}

/** Replaces a worker that is over a limit, in whichever group it is, unless that has happened while this waited for its turn. */
function recycleBody(app: App, worker: WorkerHandle): Body {
  return async (tell, cause) => {
    const group = app.groups[worker.generation.group]
    return group?.current(worker.id) === worker
      ? replaceSome(app, group, { workers: [worker.id], kind: 'recycle' }, { tell, cause })
      : new Report(app, 'restart', tell).succeed(`worker ${worker.id} was replaced already`)
  }
}

/** A replacement is over when the old processes are gone too, or have only connections left that may last for ever. */
async function replaceAndMeasure(
  app: App,
  group: Group,
  ids: readonly number[],
  target: Generation,
  plan: ReloadPlan,
  report: Report,
): Promise<ReplacementResult> {
  if (opensItsPort(group.generation.config) || opensItsPort(target.config)) await stopFirst(group, ids, report)
  const replacement = group.replace(ids, target, plan, report.step)
  const result = await replacement.result
  if (result.outcome === 'kept') closeUnused(app)
  return result
}

async function stopFirst(group: Group, ids: readonly number[], report: Report): Promise<void> {
  const leaving = ids.flatMap((id) => group.current(id) ?? [])
  for (const worker of leaving) {
    report.step({ worker: worker.id, state: 'draining' })
    worker.handle('drainWanted')
  }
  await group.whenGone(leaving)
  for (const worker of leaving) report.drained(worker)
}

/** Sets how many workers there are. */
export function scaleBody(app: App, request: ScaleRequest): Body {
  return async (tell, cause) => {
    const report = new Report(app, 'scale', tell)
    const group = app.activeGroup
    const before = group.wanted
    const wanted = parseScale(app.name, request.workers, before, availableCpus())
    if (wanted > before) refuseSecondOfOwnPort(app)
    app.record('scaleRequested', `${countOf(before)} → ${wanted}`, cause)
    report.begin(`${countOf(before)} → ${wanted}`, Math.abs(wanted - before))
    if (wanted > before) {
      const ids = range(before + 1, wanted)
      group.wanted = wanted
      const plan = { surge: ids.length, booting: ids.length, minReadyMs: 0, answerMs: ANSWER_MS, restorable: false }
      const result = await group.replace(ids, group.generation, plan, report.step).result
      if (result.aborted) return report.fail(operationAborted(app.name, 'scale'))
      if (result.outcome !== 'moved') {
        const why = app.explain(result.failed)
        group.wanted = before
        group.reconcile()
        return report.fail(startFailed(app.name, why.text, why.advice, why.lines))
      }
    } else await scaleDown(group, wanted, report)
    scaleOther(app, group, wanted)
    app.generationChanged()
    return report.succeed(serves(wanted))
  }
}

/** One that may have the traffic in a moment, or got it meanwhile, has as many. */
function scaleOther(app: App, scaled: Group, wanted: number): void {
  for (const group of app.bothGroups()) {
    if (group === scaled) continue
    group.wanted = wanted
    group.reconcile()
  }
}

async function scaleDown(group: Group, wanted: number, report: Report): Promise<void> {
  group.wanted = wanted
  const leaving = [...group.processes()].filter((worker) => worker.id > wanted)
  for (const worker of leaving) report.step({ worker: worker.id, state: 'draining' })
  group.reconcile()
  await group.whenGone(leaving)
  for (const worker of leaving) report.drained(worker)
}

/** Ends every process and closes the listeners; the app stays known. */
export function stopBody(app: App, request: StopRequest): Body {
  return async (tell, cause) => {
    const report = new Report(app, 'stop', tell)
    const leaving = [...app.processes()]
    const now = request.now === true
    reached('stop.begun')
    const words = leaving.length === 0 ? 'no worker runs' : now ? 'stopping now' : `draining ${countOf(leaving.length)}`
    app.record('stopRequested', words, cause)
    report.begin(words, leaving.length)
    for (const worker of leaving) report.step({ worker: worker.id, state: 'draining' })
    await app.end(now ? 'now' : 'drain', (worker) => report.drained(worker))
    reached('stop.drained')
    app.record('stopped', 'all workers have ended', cause)
    return report.succeed('stopped')
  }
}

/** What was scaled by hand stays, unless the configuration says another number than before. */
export function wantedOf(config: AppConfig, app: App): number {
  return config.workers === app.config.workers ? app.activeGroup.wanted : config.workers
}

export function planOf(config: AppConfig, workers: number, restorable: boolean): ReloadPlan {
  const { maxSurge } = config
  const surge = 'workers' in maxSurge ? maxSurge.workers : Math.ceil((workers * maxSurge.percent) / 100)
  // While the old ones serve, booting may take half of the machine, no more: see docs/decisions/006-reload-surge.md.
  const booting = Math.max(1, Math.floor(availableCpus() / 2))
  return { surge: Math.max(1, surge), booting, minReadyMs: config.minReadyMs, answerMs: ANSWER_MS, restorable }
}

function idsInWords(ids: readonly number[], known: readonly number[]): string {
  if (ids.length === known.length) return countOf(ids.length)
  return `${ids.length === 1 ? 'worker' : 'workers'} ${ids.join(', ')}`
}

function asSuperviseError(error: unknown, app: App): SuperviseError {
  const { serving, wanted } = app.counts()
  const exitCode = serving === 0 ? EXIT.degraded : EXIT.rolloutFailed
  const now = whatServes(serving, wanted)
  if (error instanceof SuperviseError) {
    const { code, message, fix, lines } = error
    // What was typed at the start was right then; that it is no more is no wrong usage of `reload`.
    if (error.exitCode !== EXIT.usage) return error
    return new SuperviseError(code, message, `${now} ${fix}`, exitCode, { lines })
  }
  const what = `Cannot reload: ${messageOf(error)}`
  return new SuperviseError('RELOAD_FAILED', what, `${now} Correct the cause, then reload again.`, exitCode)
}
