// Moving apps between releases: one method a command. What an app's past releases are is kept in the books, how far it is
// with the next one in its rollout.

import type {
  DeployRequest,
  OperationResult,
  ReleaseStatus,
  RollbackRequest,
  RolloutStatus,
  WorkerStep,
} from '../control/messages.ts'
import { choosePrevious, findRelease, recordOutcome, type Ending } from '../core/release-history.ts'
import { beginRollout, canFlip, servingSide, type Rollout, type RolloutEvent } from '../core/rollout.ts'
import { nearest } from '../config/suggest.ts'
import { appIsBusy } from '../errors/app.ts'
import {
  alreadyActive,
  givenUpAlready,
  nothingToRollBackTo,
  noRollout,
  noStandby,
  promotedAlready,
  unknownRelease,
} from '../errors/release.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { AppReleases, ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'
import { deployBody, type DeployTarget } from './deploy.ts'
import { flip, mayFlip } from './flip.ts'
import { Report } from './operation-report.ts'
import type { Body } from './operation-runner.ts'
import type { OperationContext, ReleaseOperations } from './operations.ts'
import type { ReleaseBooks } from './release-books.ts'
import { rolloutPlan } from './rollout-policy.ts'
import { RolloutRunner } from './rollout-runner.ts'
import { smoke } from './rollout-smoke.ts'
import { rolloutStatus } from './rollout-status.ts'
import { askHook, tellHook, type HookFacts, type Refusal } from './rollout-hooks.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { Generation } from './worker-spec.ts'

export interface ReleaseDeskOwner {
  /** Throws for an app that is unknown or stopped. */
  running(app: string, wish: string): App
  /** Throws for one that is unknown. */
  find(app: string): App
  whileBusy<Result>(body: () => Promise<Result>): Promise<Result>
}

export class ReleaseDesk implements ReleaseOperations {
  readonly #owner: ReleaseDeskOwner
  readonly books: ReleaseBooks
  readonly #runners = new Map<string, RolloutRunner>()
  readonly #stops = new Map<string, AbortController>()

  constructor(owner: ReleaseDeskOwner, books: ReleaseBooks) {
    this.#owner = owner
    this.books = books
  }

  // ---- looking --------------------------------------------------------------------------------------

  history(name: string): readonly ReleaseStatus[] {
    const app = this.#owner.find(name)
    const roles = new Map(app.bothGroups().map((group) => [group.generation.release.id, roleOf(app, group.name)]))
    const known = this.books.of(name)?.releases ?? [currentRelease(app)]
    return known.map((release) => ({
      release: release.id,
      version: release.version,
      path: release.path,
      createdAt: release.createdAt,
      deployedBy: release.deployedBy,
      role: roles.get(release.id) ?? null,
      outcome: release.outcome,
      why: release.why,
      lines: release.lines ?? [],
    }))
  }

  statusOf(app: App): RolloutStatus | null {
    const runner = this.#runners.get(app.name)
    return runner === undefined || runner.isOver ? null : rolloutStatus(runner.rollout, app.clock.now())
  }

  // ---- acting ---------------------------------------------------------------------------------------

  deploy(name: string, request: DeployRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, 'deploy')
    return this.#run(
      app,
      'deploy',
      JSON.stringify(request),
      context,
      deployBody(app, this, { kind: 'path', ...request }),
    )
  }

  flip(name: string, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, 'flip')
    const state = this.#runners.get(name)?.rollout.state ?? 'done'
    if (STARTING_OR_MOVING.includes(state)) throw appIsBusy(name, 'flip', 'rollout')
    if (!mayFlip(app)) throw noStandby(name, app.activeGroup.generation.release.id)
    // It waits for a deploy that is under way, which may have flipped by then: that is what was asked for, and not the reverse.
    const isBehind = ['deploy', 'rollback'].includes(app.operations.current?.kind ?? '')
    return this.#run(app, 'flip', '', context, this.#flipBody(app, 'flip', isBehind ? app.standby : null))
  }

  rollback(
    name: string,
    { release, force = false }: RollbackRequest,
    context: OperationContext,
  ): Promise<OperationResult> {
    const app = this.#owner.running(name, 'rollback')
    const target = this.#rollbackTarget(app, release)
    const isWarm = app.standbyGroup?.generation.release.id === target.id && mayFlip(app)
    if (isWarm) return this.#run(app, 'rollback', target.id, context, this.#flipBody(app, 'rollback'))
    const again: DeployTarget = { kind: 'release', release: target, force }
    return this.#run(app, 'rollback', target.id, context, deployBody(app, this, again))
  }

  promote(name: string, context: OperationContext): Promise<OperationResult> {
    return this.#wish(name, 'promote', { type: 'promoteWanted' }, context)
  }

  pause(name: string, context: OperationContext): Promise<OperationResult> {
    return this.#wish(name, 'pause', { type: 'pauseWanted' }, context)
  }

  resume(name: string, context: OperationContext): Promise<OperationResult> {
    return this.#wish(name, 'resume', { type: 'resumeWanted' }, context)
  }

  abort(name: string, context: OperationContext): Promise<OperationResult> {
    return this.#wish(name, 'abort', { type: 'abortWanted', why: `it was aborted by a ${context.cause}` }, context)
  }

  // ---- what rollouts need ---------------------------------------------------------------------------

  runnerOf(app: string): RolloutRunner | null {
    return this.#runners.get(app) ?? null
  }

  /** Aborted when the app is stopped. */
  untilStopped({ name }: App): AbortSignal {
    const stop = this.#stops.get(name) ?? new AbortController()
    this.#stops.set(name, stop)
    return stop.signal
  }

  /** A release of its own beside the one that serves, and the rollout that moves to it. */
  begin(app: App, record: ReleaseRecord, cause: string, onStep: (step: WorkerStep) => void): RolloutRunner {
    const { config } = app.standbyGroup?.generation ?? app.activeGroup.generation
    const from = app.activeGroup.generation.release.id
    const { rollout, commands } = beginRollout({ release: record.id, from, ...rolloutPlan(config) }, app.clock.now())
    const runner = this.#makeRunner(app, rollout, cause)
    runner.onStep = onStep
    runner.begin(commands)
    return runner
  }

  #makeRunner(app: App, rollout: Rollout, cause: string): RolloutRunner {
    const tell = (no: Refusal | null): string | null => {
      if (no !== null) runner.failureLines = no.lines
      return no?.why ?? null
    }
    const runner = new RolloutRunner(app, rollout, cause, {
      keep: (now) => this.#keep(app, now),
      smoke: async (signal) => tell(await smoke(app, signal)),
      confirm: async (now, signal) =>
        tell(await askHook(app, newest(app, now), 'confirm-promotion', factsOf(now), signal)),
      moved: (now, before) => tellOfMove(app, now, before),
    })
    this.#runners.set(app.name, runner)
    return runner
  }

  /** Of a release that moved in without a rollout. */
  ended(app: App, release: string, ending: Ending): void {
    const known = this.books.of(app.name)
    if (known === null) return
    const lastGood = ending.outcome === 'promoted' ? release : known.lastGood
    const releases = recordOutcome(known.releases, release, ending)
    this.books.set(app.name, { ...known, active: app.active, releases, lastGood })
  }

  crashed(app: App, worker: WorkerHandle, words: string): void {
    this.#runners.get(app.name)?.crashed(worker, words)
  }

  /** The app was stopped: what was under way with it is over. */
  stopped(app: App): void {
    this.#stops.get(app.name)?.abort()
    this.#stops.delete(app.name)
    const runner = this.#runners.get(app.name)
    this.#runners.delete(app.name)
    if (runner === undefined || runner.isOver) return
    runner.close()
    const { rollout } = runner
    const outcome = rollout.outcome ?? (servingSide(rollout.state) === 'new' ? 'promoted' : 'aborted')
    this.#keep(app, { ...rollout, state: 'done', outcome, why: rollout.why ?? 'the app was stopped' })
  }

  /** Goes on with a rollout that an earlier supervisor was in the middle of, or goes back where that cannot be. */
  resumed(app: App, cause: string): void {
    const rollout = this.books.of(app.name)?.rollout ?? null
    if (rollout === null || rollout.state === 'done') return
    const { release } = app.activeGroup.generation
    const lives = (id: string): boolean =>
      app
        .bothGroups()
        .some((group) => group.generation.release.id === id && [...group.processes()].some(({ isUp }) => isUp))
    const runner = this.#makeRunner(app, rollout, cause)
    runner.handle({
      type: 'resumedBySupervisor',
      serving: release.id === rollout.release ? 'new' : 'old',
      oldLives: lives(rollout.from),
      newLives: lives(rollout.release),
    })
  }

  // ---- inside ---------------------------------------------------------------------------------------

  #run(app: App, kind: 'deploy' | 'flip' | 'rollback', subject: string, context: OperationContext, body: Body) {
    return this.#owner.whileBusy(async () =>
      this.#andRemembered(await app.operations.run(kind, subject, context, body)),
    )
  }

  #andRemembered(result: OperationResult): OperationResult {
    const { problem } = this.books
    return problem === null || !result.ok ? result : { ...result, text: `${result.text}; not remembered: ${problem}` }
  }

  /** `wanted` is the group that shall have the traffic; null for the one that has not. */
  #flipBody(app: App, kind: 'flip' | 'rollback', wanted: GroupName | null = null): Body {
    return async (tell, cause) => {
      const report = new Report(app, kind, tell)
      if (app.active === wanted)
        return report.succeed(`${labelOf(app.activeGroup.generation.release)} (${wanted}) is active already`)
      // Another one may have been first while this waited for its turn.
      const held = this.#runners.get(app.name)
      const isMoving = held !== undefined && !held.isOver && !canFlip(held.rollout.state)
      if (isMoving || !mayFlip(app)) return report.fail(noStandby(app.name, app.activeGroup.generation.release.id))
      const { to, tookMs } = await flip(app, cause)
      const active = app.activeGroup.generation.release
      held?.handle({ type: 'flippedByHand', serving: active.id === held.rollout.release ? 'new' : 'old' })
      return report.succeed(`${labelOf(active)} (${to}) is active; switched in ${tookMs.toFixed(1)} ms`)
    }
  }

  #rollbackTarget(app: App, name: string | null): ReleaseRecord {
    const active = app.activeGroup.generation.release.id
    const releases = this.books.of(app.name)?.releases ?? []
    if (name === null) {
      const previous = choosePrevious(releases, active)
      if (previous === null) throw nothingToRollBackTo(app.name, active)
      return previous
    }
    const found = findRelease(releases, name)
    const names = releases.flatMap(({ id, version }) => (version === null ? [id] : [id, version]))
    if (found === null) throw unknownRelease(app.name, name, names, nearest(name, names))
    if (found.id === active) throw alreadyActive(app.name, found.id)
    return found
  }

  async #wish(name: string, kind: string, event: RolloutEvent, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, kind)
    const runner = this.#runners.get(name)
    if (runner === undefined || runner.isOver) throw noRollout(name, kind)
    mustBeOpen(name, kind, runner.rollout)
    app.record(
      `rollout${kind[0]?.toUpperCase()}${kind.slice(1)}Requested`,
      `${kind} of ${runner.rollout.release}`,
      context.cause,
    )
    runner.handle(event)
    // What is asked for is done when the traffic is where it belongs.
    if (kind === 'promote' || kind === 'abort') await runner.when(({ state }) => !MOVING.includes(state))
    const report = new Report(app, 'rollout', context.progress)
    return this.#andRemembered(report.succeed(rolloutStatus(runner.rollout, app.clock.now()).waitsFor))
  }

  #keep(app: App, rollout: Rollout): void {
    const known = this.books.of(app.name)
    if (known === null) return
    const lines = this.#runners.get(app.name)?.failureLines ?? []
    const ending = { outcome: rollout.outcome, why: rollout.why, endedAt: new Date().toISOString(), lines }
    const releases = known.releases.map((release) =>
      release.id === rollout.release ? { ...release, ...(rollout.outcome === null ? {} : ending) } : release,
    )
    this.books.set(app.name, {
      ...known,
      active: app.active,
      releases,
      lastGood: lastGoodAfter(rollout, known),
      rollout,
    })
  }
}

/** What was found good and is taken back all the same is good no more. */
function lastGoodAfter({ outcome, release, from }: Rollout, { lastGood }: AppReleases): string | null {
  if (outcome === 'promoted') return release
  return outcome !== null && lastGood === release ? from : lastGood
}

/** The generation of the release that is moved to, or what is left when it is gone. */
function newest(app: App, { release }: Rollout): Generation {
  const group = app.bothGroups().find(({ generation }) => generation.release.id === release)
  return (group ?? app.activeGroup).generation
}

function factsOf({ release, from, state, outcome, why }: Rollout): HookFacts {
  return { release, from, step: state, outcome, why }
}

function tellOfMove(app: App, now: Rollout, before: Rollout): void {
  const generation = newest(app, now)
  const facts = factsOf(now)
  tellHook(app, generation, 'event', facts)
  if (now.outcome === before.outcome) return
  if (now.outcome === 'promoted') tellHook(app, generation, 'post-rollout', facts)
  else if (now.outcome !== null) tellHook(app, generation, 'rollback', facts)
}

/** Throws when it was decided the other way. */
function mustBeOpen(app: string, wish: string, { state, outcome, release, from, why }: Rollout): void {
  if (wish === 'abort' && (state === 'retiring' || state === 'endingOld')) throw promotedAlready(app, release, from)
  if (wish === 'promote' && outcome !== null && outcome !== 'promoted')
    throw givenUpAlready(app, release, why ?? outcome)
}

const MOVING: readonly Rollout['state'][] = ['flipping', 'goingBack', 'heldUp']
const STARTING_OR_MOVING: readonly Rollout['state'][] = ['starting', ...MOVING]

export function labelOf({ id, version }: { readonly id: string; readonly version: string | null }): string {
  return version === null ? id : `${id} ${version}`
}

function roleOf(app: App, group: 'blue' | 'green'): 'active' | 'standby' {
  return group === app.active ? 'active' : 'standby'
}

/** The release that an app was started with, as the books would have it. */
export function currentRelease(app: App): ReleaseRecord {
  const { release, config, given } = app.activeGroup.generation
  return {
    id: release.id,
    version: release.version,
    path: release.path,
    createdAt: app.startedAt,
    config,
    given,
    nodePath: null,
    deployedBy: 'start',
    outcome: 'current',
    why: null,
    endedAt: null,
  }
}
