// Taking back what an earlier supervisor left: its apps, the processes that still live, and through them the sockets.

import type { OperationResult } from '../control/messages.ts'
import { chooseGeneration } from '../core/adoption.ts'
import { reached } from '../fault-points.ts'
import type { InstanceState, SavedApp, SavedWorker } from '../state/instance-state.ts'
import { OLDEST_STATE, STATE_SCHEMA } from '../state/instance-state.ts'
import { ageMsOf, bootId, isSameProcess } from '../state/process-identity.ts'
import { App } from './app.ts'
import { planOf, startBody, wantedOf } from './app-operations.ts'
import { waitUntil } from './clock.ts'
import { isLost, tellLost } from './ended-meanwhile.ts'
import type { Group } from './group.ts'
import { countOf, isEnding } from './operation-report.ts'
import type { Tell } from './operation-runner.ts'
import type { OperationContext } from './operations.ts'
import { concludeLost, generationAfterLoss } from './release-start.ts'
import { findOrphans } from './orphans.ts'
import type { Supervisor } from './supervisor.ts'
import type { WorkerHandle } from './worker-handle.ts'
import { isCommandIncarnation, isIncarnation } from './worker-proof.ts'
import type { Generation } from './worker-spec.ts'

/** One that is stopped, or in a long garbage collection, is not waited for longer: it fits in when it comes. */
const WAIT_MS = 3000
/** Lending rests a moment after the last worker has dialled in; they serve all the while. */
const REST_MS = 1000

/** Makes the apps again as they were. Call it before the link is opened; the workers dial by themselves. */
export function restoreApps(state: InstanceState, supervisor: Supervisor): readonly App[] {
  // All of them are made before any of them is taken up: a state that cannot be used changes nothing.
  const made = state.apps.map((saved) => ({ saved, app: restoreApp(saved, state.workers, supervisor) }))
  return made.map(({ saved, app }) => {
    app.beginAdoption()
    supervisor.restore(app)
    const gone: SavedWorker[] = []
    for (const worker of state.workers) {
      try {
        if (worker.app === saved.name && !adoptWorker(app, saved, worker)) gone.push(worker)
      } catch (error) {
        // It dials in all the same, and is then one that the state does not know.
        supervisor.internalError(error)
      }
    }
    for (const worker of gone) {
      const generation = saved.generations.find(({ number }) => number === worker.generation)
      if (generation !== undefined && isLost(state, worker)) tellLost(app, worker, generation, supervisor)
    }
    return app
  })
}

function restoreApp(saved: SavedApp, workers: readonly SavedWorker[], supervisor: Supervisor): App {
  const current = generationOf(saved, saved.current)
  const lives = workers.some((worker) => worker.app === saved.name && isStillThere(worker, current))
  // Nothing serves, so nothing speaks for a release that was not found good; unless its supervisor lived to say what is so.
  const nothingServes = !lives && !saved.stopped && supervisor.places.handed === undefined
  const next = Math.max(...saved.generations.map(({ number }) => number)) + 1
  const generation = nothingServes ? generationAfterLoss(supervisor.releases.books, current, next) : current
  const app = new App(saved.name, saved.source, generation, saved.wanted, supervisor)
  app.isStopped = saved.stopped
  supervisor.places.handed?.give(app)
  if (saved.standby !== null && !nothingServes)
    app.addGroup(generationOf(saved, saved.standby.current), saved.standby.wanted)
  return app
}

function generationOf(saved: SavedApp, number: number): Generation {
  const found = saved.generations.find((generation) => generation.number === number)
  if (found === undefined) throw new Error(`the state of "${saved.name}" lacks its generation ${number}`)
  return found
}

/** False when it is not there any more. */
function adoptWorker(app: App, saved: SavedApp, worker: SavedWorker): boolean {
  const generation = saved.generations.find((candidate) => candidate.number === worker.generation)
  if (generation === undefined || !isStillThere(worker, generation)) return false
  const identity = { id: worker.id, incarnation: worker.incarnation, generation }
  app.adopt(identity, { pid: worker.pid, ageMs: ageMsOf(worker.pid), wasReady: worker.ready })
  app.isStopped = false
  return true
}

/**
 * Whoever wrote the file may have been mistaken, or it is of before a reboot, after which pid and start time may be those
 * of another: nobody else's process is to be taken for a worker, let alone signalled.
 */
function isStillThere({ pid, startTime, incarnation }: SavedWorker, { config }: Generation): boolean {
  const isProven = config.isCommand ? isCommandIncarnation : isIncarnation
  return isSameProcess(pid, startTime) && isProven(pid, incarnation) !== false
}

/**
 * Waits until the workers are linked and their slots are in, then starts what is missing. An app of which no worker
 * lives is started anew; how that goes is returned.
 */
export async function completeAdoption(
  apps: readonly App[],
  supervisor: Supervisor,
): Promise<readonly Promise<OperationResult>[]> {
  const found = waitForWorkers(apps, supervisor)
  const context: OperationContext = { cause: 'supervisor start', progress: () => {} }
  // An operation like any other, so that a reload that is asked for meanwhile waits for its end.
  const starts = apps
    .filter((app) => !app.isStopped)
    .map((app) => ({
      app,
      isNew: beginsAnew(app, supervisor),
      done: app.operations.run('start', 'adoption', context, async (tell, cause) => {
        await found
        return fillUp(app, supervisor, tell, cause)
      }),
    }))
  for (const { app, done } of starts) {
    app.adoption = done
    done.catch(() => undefined)
  }
  await found
  reached('adoption.found')
  for (const app of apps) if (app.isStopped) app.adoptionOver()
  return starts.filter(({ isNew }) => isNew).map(({ done }) => done)
}

/** Waits until those that live are linked and have said what they listen on, or were waited for long enough. */
export async function waitForWorkers(apps: readonly App[], supervisor: Supervisor): Promise<void> {
  const deadline = supervisor.clock.now() + WAIT_MS
  await Promise.all(apps.map((app) => findOrphans(app, supervisor.orphans)))
  await waitUntil(supervisor.clock, deadline - supervisor.clock.now(), () => apps.every(isComplete))
}

function isComplete(app: App): boolean {
  return [...app.processes()].every((worker) => worker.isLinked) && app.lending.countMissingSlots() === 0
}

/** None of its workers lives. Where the supervisor before handed everything over, they are about to be started again. */
function beginsAnew(app: App, { places }: Supervisor): boolean {
  return places.handed === undefined && [...app.processes()].length === 0
}

async function fillUp(app: App, supervisor: Supervisor, tell: Tell, cause: string): Promise<OperationResult> {
  app.adoptionOver()
  const adopted = [...app.processes()].length
  if (beginsAnew(app, supervisor) && !isEnding(app)) return startAnew(app, supervisor, tell, cause)
  const text = `${countOf(adopted)} of an earlier supervisor ${adopted === 1 ? 'serves' : 'serve'} on`
  if (!isEnding(app)) {
    app.record('adopted', text, cause)
    await takeUp(app, supervisor, cause)
  }
  const { serving } = app.counts()
  const generation = app.activeGroup.generation.number
  return {
    app: app.name,
    kind: 'start',
    ok: true,
    text,
    tookMs: 0,
    workers: serving,
    generation,
    requestsCut: 0,
    steps: [],
    error: null,
  }
}

/** None of its workers lives. */
async function startAnew(app: App, supervisor: Supervisor, tell: Tell, cause: string): Promise<OperationResult> {
  const { releases } = supervisor
  app.begin()
  // Where there is a second group, its workers died only now: the rollout goes on with what can be started again.
  if (app.standbyGroup === null) concludeLost(app, releases.books)
  const result = await startBody(app)(tell, cause)
  app.standbyGroup?.reconcile()
  if (result.ok) releases.resumed(app, cause)
  return result
}

/** Each part takes a while, and a stop may come in it: nothing is started after that. */
async function takeUp(app: App, supervisor: Supervisor, cause: string): Promise<void> {
  await agreeOnActive(app)
  reached('adoption.agreed')
  for (const group of app.bothGroups()) if (!isEnding(app)) await converge(app, group)
  if (!isEnding(app))
    await waitUntil(app.clock, REST_MS, () => [...app.processes()].every((worker) => worker.state !== 'ready'))
  reached('adoption.done')
  supervisor.releases.resumed(app, cause)
}

/** What the workers were told last is what is so, also when the supervisor died before it was written down. */
async function agreeOnActive(app: App): Promise<void> {
  const told = app.routing.adopted
  if (told !== null && told.active !== app.active && app.standbyGroup !== null) app.activate(told.active)
  if (app.standbyGroup !== null) await app.routing.commit(app.active)
}

/** A reload may have been under way: goes on with one generation, and lets go of the others. */
async function converge(app: App, group: Group): Promise<void> {
  const generations = new Map<number, Generation>()
  for (const worker of group.processes()) generations.set(worker.generation.number, worker.generation)
  const wantedIn = (generation: Generation) => wantedOf(generation.config, app)
  const chosen = chooseGeneration(
    { number: group.generation.number, wanted: group.wanted },
    [...generations.values()].map((each) => ({ number: each.number, wanted: wantedIn(each) })),
    [...group.processes()].map((each) => ({
      worker: each.id,
      generation: each.generation.number,
      isServing: each.isUp && each.isLinked,
    })),
  )
  const next = generations.get(chosen) ?? group.generation
  group.wanted = next === group.generation ? group.wanted : wantedIn(next)
  group.generation = next
  const kept = new Set([...group.processes()].filter((one) => one.generation === next && one.isStaying).map(idOf))
  const others = [...group.processes()].filter((one) => one.generation !== next)
  for (const worker of others) if (kept.has(worker.id)) worker.handle('drainWanted')
  const alone = [...new Set(others.filter((one) => one.isStaying && !kept.has(one.id)).map(idOf))]
  app.generationChanged()
  group.reconcile()
  // Nothing of the chosen generation is there for these: what they run serves until it is.
  const ids = alone.filter((id) => id <= group.wanted)
  if (ids.length > 0) await group.replace(ids, next, planOf(next.config, group.wanted, false), () => {}).result
}

function idOf(worker: WorkerHandle): number {
  return worker.id
}

/** What must be known to do all this again. */
export function stateOf(instance: string, apps: readonly App[], ending: boolean): InstanceState {
  const workers = apps.flatMap((app) => [...app.processes()].flatMap((worker) => savedWorker(app, worker)))
  const boot = bootId()
  const saved = {
    schema: STATE_SCHEMA,
    oldest: OLDEST_STATE,
    instance,
    pid: process.pid,
    ...(boot !== undefined && { boot }),
    apps: apps.map(savedApp),
    workers,
  }
  return ending ? { ...saved, ending } : saved
}

function savedWorker(app: App, worker: WorkerHandle): SavedWorker[] {
  const { id, incarnation, pid, startTime, generation } = worker
  if (startTime === null) return []
  const ready = worker.wasReadyBefore || worker.readyAt !== null
  const saved = { app: app.name, id, incarnation, generation: generation.number, pid, startTime, ready }
  return [worker.isStaying ? saved : { ...saved, leaving: true }]
}

function savedApp(app: App): SavedApp {
  const { generation, wanted } = app.activeGroup
  const standby = app.standbyGroup
  const inUse = new Map([[generation.number, generation]])
  if (standby !== null) inUse.set(standby.generation.number, standby.generation)
  for (const worker of app.processes()) inUse.set(worker.generation.number, worker.generation)
  return {
    name: app.name,
    source: app.source,
    stopped: app.isStopped,
    wanted,
    current: generation.number,
    standby: standby === null ? null : { wanted: standby.wanted, current: standby.generation.number },
    generations: [...inUse.values()],
  }
}
