// The story of a deploy: a new release starts whole beside the one that serves, is tried, and is given the traffic; or it
// is refused, and nobody outside noticed.

import { existsSync, realpathSync } from 'node:fs'
import type { AppConfig } from '../config/app-config.ts'
import type { DeployRequest, OperationResult } from '../control/messages.ts'
import { nextReleaseId, prune } from '../core/release-history.ts'
import { servingSide, type Rollout } from '../core/rollout.ts'
import { appRenamed, operationAborted } from '../errors/app.ts'
import {
  deployRefused,
  hookSaidNo,
  releaseGone,
  releasePathMissing,
  releasePathNoDirectory,
  releasePathUnreadable,
  releasePathUnusable,
  releaseWithoutScript,
} from '../errors/release.ts'
import { SuperviseError } from '../errors.ts'
import type { AppReleases, ReleaseRecord } from '../state/release-store.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { App } from './app.ts'
import { moveTo } from './app-operations.ts'
import { countOf, Report } from './operation-report.ts'
import type { Body } from './operation-runner.ts'
import { currentRelease, labelOf, type ReleaseDesk } from './release-desk.ts'
import { dataStep, dataVersionsOf, mustLiveTogether } from './release-data.ts'
import { askHook, tellHook } from './rollout-hooks.ts'
import { isProblem, relocate } from './release-path.ts'
import { makeGeneration, type Generation } from './worker-spec.ts'

export type DeployTarget =
  /** A directory, or what the configuration says now. */
  | ({ readonly kind: 'path' } & DeployRequest)
  /** An older release, as it was. */
  | { readonly kind: 'release'; readonly release: ReleaseRecord; readonly force?: boolean }

export function deployBody(app: App, desk: ReleaseDesk, target: DeployTarget): Body {
  return async (tell, cause) => {
    const report = new Report(app, target.kind === 'path' ? 'deploy' : 'rollback', tell)
    try {
      const generation = await nextRelease(app, desk, target)
      mustRun(app)
      const step = await allow(app, desk, generation, target.force === true)
      mustRun(app)
      const move: Move = { app, desk, generation, cause, report, by: initiatorOf(target, cause) }
      const result = await (isRolling(generation, app) ? deployRolling(move) : deployBeside(move))
      if (result.ok && step === 'contract') contractLater(app, desk, generation)
      return result
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error
      app.record('deployRefused', error.message, cause, 'error')
      return report.fail(error)
    }
  }
}

/** Throws when a stop came while something was waited for: nothing may be started beside it. */
function mustRun(app: App): void {
  if (app.isStopped || app.activeGroup.isStopping) throw operationAborted(app.name, 'deploy')
}

interface Move {
  readonly app: App
  readonly desk: ReleaseDesk
  readonly generation: Generation
  readonly cause: string
  readonly by: string
  readonly report: Report
}

/** It has no group of its own: its workers take the places of those that serve. */
function isRolling({ group }: Generation, app: App): boolean {
  return group === app.active
}

/** Asks whoever has a say, before anything is touched. Returns the hook that has its place after the move. */
async function allow(app: App, desk: ReleaseDesk, next: Generation, force: boolean): Promise<'contract' | null> {
  const current = app.activeGroup.generation
  mustLiveTogether(app.name, current, next, force)
  const step = dataStep(dataVersionsOf(app.name, current), dataVersionsOf(app.name, next))
  const facts = { release: next.release.id, from: current.release.id, step: 'asked', outcome: null, why: null }
  for (const name of step === 'expand' ? (['pre-rollout', 'expand'] as const) : (['pre-rollout'] as const)) {
    const no = await askHook(app, next, name, facts, desk.untilStopped(app))
    if (no !== null) throw hookSaidNo(app.name, next.release.id, no.why, no.lines)
  }
  return step === 'contract' ? step : null
}

/** There is no way back behind it, so it runs when the old release is gone for good. */
function contractLater(app: App, desk: ReleaseDesk, next: Generation): void {
  const runner = desk.runnerOf(app.name)
  const tell = (): void => {
    const from = runner?.rollout.from ?? ''
    tellHook(app, next, 'contract', { release: next.release.id, from, step: 'done', outcome: 'promoted', why: null })
  }
  if (runner === null || runner.rollout.release !== next.release.id) return tell()
  void runner.when(({ state }) => state === 'done').then(({ outcome }) => outcome === 'promoted' && tell())
}

async function deployBeside({ app, desk, generation, cause, by, report }: Move): Promise<OperationResult> {
  await makeRoom(app, desk, generation.release.id)
  const { wanted } = app.activeGroup
  const before = app.activeGroup.generation.release
  const record = remember(app, desk, generation, by)
  app.addGroup(generation, wanted)
  const text = `${labelOf(before)} → ${labelOf(generation.release)}  blue-green, ${countOf(wanted)}`
  app.record('deployStarted', text, cause)
  report.begin(text, wanted)
  const runner = desk.begin(app, record, cause, report.step)
  const reached = await runner.when(isDecided)
  if (runner.isClosed) return report.fail(operationAborted(app.name, 'deploy'))
  return conclude(app, reached, runner.failureLines, report)
}

async function deployRolling({ app, desk, generation, cause, by, report }: Move): Promise<OperationResult> {
  await makeRoom(app, desk, generation.release.id)
  const { id } = remember(app, desk, generation, by)
  const result = await moveTo(app, generation, report, cause)
  const why = result.error?.message ?? null
  desk.ended(app, id, { outcome: result.ok ? 'promoted' : 'failed', why, endedAt: new Date().toISOString() })
  return result
}

function initiatorOf(target: DeployTarget, cause: string): string {
  return target.kind === 'release' ? `${cause}, as ${target.release.id} was` : cause
}

/** It serves, waits for a person, or was given up. */
function isDecided({ state, outcome, successor }: Rollout): boolean {
  if (outcome !== null && outcome !== 'promoted') return servingSide(state) === 'old' || state === 'done'
  return ['awaiting', 'baking', 'retiring', 'endingOld', 'done'].includes(state) && successor === null
}

function conclude(app: App, reached: Rollout, lines: readonly string[], report: Report): OperationResult {
  const { state, outcome, why, release, from, flipMs } = reached
  if (outcome !== null && outcome !== 'promoted') {
    const { serving, wanted } = app.counts()
    const serves = `${from}: ${serving} of ${wanted} workers`
    return report.fail(deployRefused(app.name, release, why ?? outcome, serves, lines))
  }
  if (state === 'awaiting')
    return report.succeed(`${release} is ready beside ${from}; \`supervise promote ${app.name}\` gives it the traffic`)
  return report.succeed(`${release} serves; switched in ${(flipMs ?? 0).toFixed(1)} ms, ${from} stays warm`)
}

/** Another release in the other group makes room: the last one asked for is what runs. */
async function makeRoom(app: App, desk: ReleaseDesk, next: string): Promise<void> {
  const runner = desk.runnerOf(app.name)
  if (runner !== null && !runner.isOver) {
    runner.handle({ type: 'superseded', why: `${next} was deployed` })
    await runner.when(({ state }) => state === 'done')
  }
  await app.retireStandby()
  mustRun(app)
}

async function nextRelease(app: App, desk: ReleaseDesk, target: DeployTarget): Promise<Generation> {
  const { id } = nextReleaseId(desk.books.of(app.name)?.nextRelease ?? 2)
  const number = app.nextGenerationNumber()
  if (target.kind === 'release') {
    const { config, path, version } = target.release
    const missing = [path, config.cwd, config.script].find((place) => !existsSync(place))
    if (missing !== undefined)
      throw releaseGone(app.name, target.release.id, missing, app.activeGroup.generation.release.id)
    return makeGeneration(number, groupFor(app, config.strategy), id, config, { version, isPinned: true })
  }
  const { path, version } = target
  const root = path === null ? null : realPathOf(path)
  // The release that the configuration points at may be gone when another one takes its place.
  const config = await app.readConfig((read) => (root === null ? null : placeIn(app, read, root)))
  if (config.name !== app.name) throw appRenamed(app.name, config.name)
  const { strategy = config.strategy } = target
  const group = groupFor(app, strategy)
  const named = { isPinned: true, ...(version !== null && { version }) }
  return makeGeneration(number, group, id, root === null ? config : placeIn(app, config, root), named)
}

function groupFor(app: App, strategy: AppConfig['strategy']): GroupName {
  return strategy === 'rolling' ? app.active : app.standby
}

function placeIn(app: App, config: AppConfig, path: string): AppConfig {
  const placed = relocate(config, path)
  if (!isProblem(placed)) return placed
  switch (placed.kind) {
    case 'missing':
      throw releasePathMissing(app.name, path)
    case 'noDirectory':
      throw releasePathNoDirectory(app.name, path)
    case 'unreadable':
      throw releasePathUnreadable(app.name, path, process.getuid?.() ?? 0)
    case 'unusable':
      throw releasePathUnusable(app.name, path, placed.code)
    case 'noEntry':
      throw releaseWithoutScript(app.name, path, placed.scripts)
  }
}

/** As it is where there is nothing to resolve: that is told a moment later. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** In the books before anything is started: whatever happens then, it is known what was tried. */
function remember(app: App, desk: ReleaseDesk, generation: Generation, deployedBy: string): ReleaseRecord {
  const { release, config, given } = generation
  const first: AppReleases = {
    nextRelease: 2,
    active: app.active,
    lastGood: app.activeGroup.generation.release.id,
    releases: [currentRelease(app)],
    rollout: null,
  }
  const known = desk.books.of(app.name) ?? first
  const record: ReleaseRecord = {
    id: release.id,
    version: release.version,
    path: release.path,
    createdAt: new Date().toISOString(),
    config,
    given,
    nodePath: null,
    deployedBy,
    outcome: null,
    why: null,
    endedAt: null,
  }
  const inUse = [app.activeGroup.generation.release.id, release.id, known.lastGood ?? '']
  const releases = prune([...known.releases, record], inUse)
  desk.books.set(app.name, { ...known, nextRelease: nextReleaseId(known.nextRelease).nextRelease, releases })
  return record
}
