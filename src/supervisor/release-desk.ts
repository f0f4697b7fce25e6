// Moving apps between releases: one method a command. What an app's past releases are is kept in the books, how far it is
// with the next one in its rollout.

import type { EventType } from '../config/event-types.ts'
import type { OperationResult, ReleaseStatus, RolloutStatus } from '../control/messages.ts'
import type { DeployRequest, PreviewStatus, ReleaseNews, RollbackRequest } from '../control/release-messages.ts'
import { choosePrevious, findRelease, recordOutcome, type Ending } from '../core/release-history.ts'
import { beginRollout, endRollout, type Rollout, type RolloutEvent } from '../core/rollout.ts'
import { nearest } from '../config/suggest.ts'
import { alreadyActive, nothingToRollBackTo, noRollout, noStandby, unknownRelease } from '../errors/release.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'
import { contractIfDue } from './contract-step.ts'
import { currentRelease } from './current-release.ts'
import { deployBody, isDecided } from './deploy.ts'
import { mayFlip, mayReturn, slotsFollow } from './flip.ts'
import { flipBody } from './flip-body.ts'
import { isEnding, Report } from './operation-report.ts'
import type { Body } from './operation-runner.ts'
import type { OperationContext, ReleaseOperations } from './operations.ts'
import { PendingDeploys } from './pending-deploys.ts'
import type { ReleaseBooks } from './release-books.ts'
import { lastRollout, startedWords } from './release-outlook.ts'
import { previewStatus } from './preview.ts'
import { RolloutProgress, tellOfHook } from './rollout-progress.ts'
import { decidedResult, untilDecided, type Watched } from './rollout-watch.ts'
import { rolloutPlan } from './rollout-policy.ts'
import { RolloutRunner } from './rollout-runner.ts'
import { releaseStatus } from './rollout-status.ts'
import { askHook, type Refusal } from './rollout-hooks.ts'
import { factsOf, newest, tellOfMove } from './rollout-news.ts'
import { isMoving, mustBeOpen, mustBeStill } from './rollout-wish.ts'
import { tryStandby } from './smoke-step.ts'
import type { WorkerHandle } from './worker-handle.ts'

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
  readonly pending = new PendingDeploys()
  readonly #runners = new Map<string, RolloutRunner>()
  readonly #stops = new Map<string, AbortController>()
  readonly #progress = new WeakMap<RolloutRunner, RolloutProgress>()

  constructor(owner: ReleaseDeskOwner, books: ReleaseBooks) {
    this.#owner = owner
    this.books = books
  }

  // ---- looking --------------------------------------------------------------------------------------

  history(name: string): readonly ReleaseStatus[] {
    const app = this.#owner.find(name)
    const roles = rolesIn(app, this.newsOf(app).nextStart)
    const known = this.books.of(name)?.releases ?? [currentRelease(app)]
    return known.map((release) => releaseStatus(release, roles.get(release.id) ?? null))
  }

  preview(name: string): PreviewStatus {
    return previewStatus(this.#owner.running(name, 'preview'))
  }

  statusOf(app: App): RolloutStatus | null {
    const runner = this.#runners.get(app.name)
    return runner === undefined || runner.isOver ? null : runner.status
  }

  newsOf(app: App): ReleaseNews & { readonly rollout: RolloutStatus | null } {
    const next = app.isStopped ? this.books.lastGood(app.name) : null
    return {
      rollout: this.statusOf(app),
      lastRollout: lastRollout(this.books, app.name),
      nextStart: next === null ? null : { release: next.id, version: next.version },
    }
  }

  // ---- acting ---------------------------------------------------------------------------------------

  async deploy(name: string, request: DeployRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, 'deploy')
    const { wait = false, ...target } = request
    const subject = JSON.stringify(target)
    const pending = this.pending.ask(name, subject)
    const body = deployBody(app, this, { kind: 'path', ...target }, pending)
    this.pending.enter(name, pending)
    const run = this.#run(app, 'deploy', subject, context, body)
    // Of those that wait the last one asked for runs, and this may not be it.
    const result = await run.finally(() => this.pending.leave(name, pending))
    const runner = this.#runners.get(name)
    // A rolling deploy has none, and is over.
    const isIts = runner?.rollout.release === result.release
    if (!wait || !result.ok || runner === undefined || !isIts) return result
    const watched = await untilDecided(this.#watched(app, runner), new Report(app, 'deploy', context.progress), 'next')
    return { ...watched, steps: result.steps, tookMs: result.tookMs + watched.tookMs }
  }

  /** Goes along with a rollout until it is decided. */
  async watch(name: string, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, 'watch the rollout of')
    // One that an earlier supervisor began goes on when its workers have been taken up.
    await app.adoption?.catch(() => undefined)
    const runner = this.#runners.get(name)
    if (runner === undefined || runner.isOver) return this.#lastResult(app, context)
    const { config } = newest(app, runner.rollout)
    const report = new Report(app, 'rollout', context.progress)
    report.begin(`${runner.rollout.from} → ${runner.rollout.release}  ${config.strategy}`, 0)
    return untilDecided(this.#watched(app, runner), report, 'now')
  }

  /** Somebody who comes too late to go along is told all the same. */
  #lastResult(app: App, { progress }: OperationContext): OperationResult {
    const last = lastRollout(this.books, app.name)
    if (last === null) throw noRollout(app.name, 'watch the rollout of')
    const report = new Report(app, 'rollout', progress)
    report.release = last.release
    return decidedResult(app, last, report)
  }

  flip(name: string, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, 'flip')
    mustBeStill(name, this.#runners.get(name)?.rollout)
    if (!mayFlip(app) && !this.#mayReturn(app)) throw noStandby(name, app.activeGroup.generation.release.id)
    // It may have to wait for what is under way, which may have flipped by then: that is what was asked for, and not the reverse.
    const wanted = app.standbyGroup?.generation.release.id ?? ''
    return this.#run(app, 'flip', wanted, context, flipBody(app, this, { kind: 'flip', wanted, otherwise: null }))
  }

  rollback(
    name: string,
    { release, force = false }: RollbackRequest,
    context: OperationContext,
  ): Promise<OperationResult> {
    const app = this.#owner.running(name, 'rollback')
    const target = this.#rollbackTarget(app, release)
    const pending = this.pending.ask(name, `rollback ${target.id}`)
    const again = deployBody(app, this, { kind: 'release', release: target, force }, pending)
    const body = flipBody(app, this, { kind: 'rollback', wanted: target.id, otherwise: again })
    return this.#run(app, 'rollback', target.id, context, body)
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

  /** Of a deploy that is no rollout yet, whatever an earlier one is at; else of the rollout. */
  async abort(name: string, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, 'abort')
    const deploys = this.pending.abort(name)
    if (deploys.length === 0)
      return this.#wish(name, 'abort', { type: 'abortWanted', why: `it was aborted by a ${context.cause}` }, context)
    const what = deploys.map(({ release }) => `the deploy of ${release ?? 'the next release'}`).join(' and ')
    app.record('rolloutAbortRequested', `abort of ${what}`, context.cause)
    const runner = this.#runners.get(name)
    const isMadeRoom = runner === undefined || runner.isOver || runner.rollout.successor !== null
    const goesOn = isMadeRoom ? '' : `; the rollout of ${runner.rollout.release} goes on`
    return new Report(app, 'rollout', context.progress).succeed(`${what} is given up${goesOn}`)
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

  /** A release of its own beside the one that serves, and the rollout that moves to it; told as far as the deploy goes. */
  begin(app: App, record: ReleaseRecord, cause: string, report: Report): RolloutRunner {
    const { config } = app.standbyGroup?.generation ?? app.activeGroup.generation
    const from = app.activeGroup.generation.release.id
    const { rollout, commands } = beginRollout({ release: record.id, from, ...rolloutPlan(config) }, app.clock.now())
    const runner = this.#makeRunner(app, rollout, cause)
    runner.onStep = report.step
    void runner.when(isDecided).then(this.#progress.get(runner)?.follow(report.stage, null))
    runner.begin(commands)
    return runner
  }

  #watched(app: App, runner: RolloutRunner): Watched {
    return { app, runner, progress: this.#progress.get(runner) }
  }

  #makeRunner(app: App, rollout: Rollout, cause: string): RolloutRunner {
    const { release } = rollout
    const { smoke: checks, hooks, bakeMs } = newest(app, rollout).config
    const progress = new RolloutProgress({ app: app.name, hasSmokeTest: checks.length > 0, bakeMs })
    const hook = 'confirm-promotion'
    const confirm = (now: Rollout, signal: AbortSignal) => askHook(app, newest(app, now), hook, factsOf(now), signal)
    const why = (no: Refusal | null): string | null => {
      if (no !== null) runner.failureLines = no.lines
      return no?.why ?? null
    }
    const runner = new RolloutRunner(app, rollout, cause, {
      keep: (now) => {
        this.#keep(app, now)
        progress.moved(now, app.clock.now())
      },
      keepWatch: (watch) => this.books.note(app.name, release, { watch }),
      watched: this.books.release(app.name, release)?.watch ?? null,
      smoke: async (signal) => why(await tryStandby(app, this.books, signal)),
      confirm: async (now, signal) =>
        why(await tellOfHook(hook, hook in hooks, () => confirm(now, signal), progress.tell)),
      moved: (move) => {
        tellOfMove(app, move, this.books.release(app.name, release))
        if (move.now.state === 'done') this.started(app)
      },
    })
    this.#progress.set(runner, progress)
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
    this.started(app)
  }

  /** A start says which release it is, when there was more than one. */
  withRelease(app: App, result: OperationResult): OperationResult {
    if (!result.ok) return result
    const words = startedWords(this.books, app.name, app.activeGroup.generation.release.id)
    return { ...result, text: result.text + words }
  }

  /** It runs, alone or not: what is owed since the release before it is gone is done. */
  started(app: App): void {
    contractIfDue(app, this.books)
  }

  /** One of its workers has slots: whatever comes of its release now, it may have answered somebody. */
  serves(app: App, { generation }: WorkerHandle): void {
    const record = this.books.release(app.name, generation.release.id)
    if (record !== null && record.served !== true) this.books.note(app.name, record.id, { served: true })
  }

  crashed(app: App, worker: WorkerHandle, words: string): void {
    this.#runners.get(app.name)?.crashed(worker, words)
  }

  /** It is to end: nothing goes on by itself any more. A supervisor that comes before it has ended goes on with it. */
  ends(app: App): void {
    this.#stops.get(app.name)?.abort()
    this.#stops.delete(app.name)
    this.#runners.get(app.name)?.close()
    this.#runners.delete(app.name)
  }

  /** All of it has ended: what was under way with it is over. */
  stopped(app: App): void {
    const rollout = this.books.of(app.name)?.rollout ?? null
    if (rollout === null || rollout.state === 'done') return
    const ended = endRollout(rollout, 'stopped', app.clock.now())
    this.#keep(app, ended)
    const record = this.books.release(app.name, rollout.release)
    const generation = newest(app, rollout)
    if (record !== null) app.reports.rolloutTraces.moved({ now: ended, before: rollout, record, generation })
  }

  /** Goes on with a rollout that an earlier supervisor was in the middle of, or goes back where that cannot be. */
  resumed(app: App, cause: string): void {
    if (isEnding(app)) return
    const rollout = this.books.of(app.name)?.rollout ?? null
    const { release } = app.activeGroup.generation
    if (this.books.of(app.name) === null) return this.started(app)
    if (rollout === null || rollout.state === 'done') return this.#concluded(app, release.id)
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

  /** A release may have moved in, or given up, with nobody there to write it down; and what has no rollout has no room. */
  #concluded(app: App, serving: string): void {
    const isMixed = [...app.activeGroup.processes()].some((one) => one.isUp && one.generation.release.id !== serving)
    if (!isMixed) this.books.conclude(app.name, serving, app.active)
    void app.retireStandby().then((hasEnded) => hasEnded && this.started(app))
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

  /** The release that was served before drains, and nothing else is under way. */
  #mayReturn(app: App): boolean {
    return this.#runners.get(app.name)?.rollout.state === 'endingOld' && mayReturn(app)
  }

  #rollbackTarget(app: App, name: string | null): ReleaseRecord {
    const active = app.activeGroup.generation.release.id
    const releases = this.books.of(app.name)?.releases ?? []
    if (name === null) {
      // What served until the flip, and is warm, whether or not its own watch had come to an end.
      const before = this.#runners.get(app.name)?.rollout
      const warm = app.standbyGroup?.generation.release.id
      const isWarm = before?.release === active && before.from === warm && mayFlip(app)
      const previous = releases.find(({ id }) => isWarm && id === warm) ?? choosePrevious(releases, active)
      if (previous === null) throw nothingToRollBackTo(app.name, active)
      return previous
    }
    const found = findRelease(releases, name)
    const names = releases.flatMap(({ id, version }) => (version === null ? [id] : [id, version]))
    if (found === null) throw unknownRelease(app.name, name, names, nearest(name, names))
    if (found.id === active) throw alreadyActive(app.name, found.id)
    return found
  }

  async #wish(name: string, kind: WishKind, event: RolloutEvent, context: OperationContext): Promise<OperationResult> {
    const app = this.#owner.running(name, kind)
    const runner = this.#runners.get(name)
    // What a person moves just now decides what is left to wish for.
    await runner?.untilStill()
    if (runner === undefined || runner.isOver) throw noRollout(name, kind)
    mustBeOpen(name, kind, runner.rollout)
    app.record(REQUESTED[kind], `${kind} of ${runner.rollout.release}`, context.cause)
    runner.handle(event)
    // What is asked for is done when the traffic is where it belongs.
    if (kind === 'promote' || kind === 'abort') {
      await runner.when((rollout) => !isMoving(rollout))
      await slotsFollow(app)
    }
    const report = new Report(app, 'rollout', context.progress)
    return this.#andRemembered(report.succeed(runner.status.waitsFor))
  }

  #keep(app: App, rollout: Rollout): void {
    this.books.keep(app.name, rollout, app.active)
  }
}

type WishKind = 'promote' | 'pause' | 'resume' | 'abort'

const REQUESTED: Readonly<Record<WishKind, EventType>> = {
  promote: 'rolloutPromoteRequested',
  pause: 'rolloutPauseRequested',
  resume: 'rolloutResumeRequested',
  abort: 'rolloutAbortRequested',
}

type Role = NonNullable<ReleaseStatus['role']>

function rolesIn(app: App, next: ReleaseNews['nextStart']): ReadonlyMap<string, Role> {
  if (next !== null) return new Map([[next.release, 'next']])
  const roleOf = (group: GroupName): Role => (group === app.active ? 'active' : 'standby')
  return new Map(app.bothGroups().map(({ generation, name }) => [generation.release.id, roleOf(name)]))
}
