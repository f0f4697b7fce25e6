// The story of a deploy: a new release starts whole beside the one that serves, is tried, and is given the traffic; or it
// is refused, and nobody outside noticed.

import { existsSync, realpathSync } from 'node:fs'
import type { AppConfig, HookName } from '../config/app-config.ts'
import { askNode } from '../config/node-binary.ts'
import type { OperationResult } from '../control/messages.ts'
import type { DeployRequest } from '../control/release-messages.ts'
import { againOf, nextReleaseId, prune } from '../core/release-history.ts'
import { servingSide, type Rollout } from '../core/rollout.ts'
import { appRenamed, operationAborted } from '../errors/app.ts'
import {
  commandWithoutGroups,
  commandWithoutNode,
  deployAborted,
  deployRefused,
  hookSaidNo,
  releaseGone,
  releaseNodeUnusable,
  releasePathMissing,
  releasePathNoDirectory,
  releasePathUnreadable,
  releasePathUnusable,
  releaseWithoutScript,
} from '../errors/release.ts'
import { SuperviseError } from '../errors.ts'
import type { AppReleases, ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'
import { moveTo } from './app-operations.ts'
import { availableMemory } from '../telemetry/available-memory.ts'
import { wholeRssBytes } from '../telemetry/samples.ts'
import { contractOwed } from './contract-step.ts'
import { slotsFollow } from './flip.ts'
import { memoryStage } from './pair-memory.ts'
import { countOf, labelOf, Report, whatServes } from './operation-report.ts'
import type { Body } from './operation-runner.ts'
import { currentRelease } from './current-release.ts'
import type { PendingDeploy } from './pending-deploys.ts'
import type { ReleaseDesk } from './release-desk.ts'
import {
  dataStep,
  dataVersionsOf,
  mustLiveTogether,
  mustReadWhatIsThere,
  readsNothingOlder,
  type DataStep,
} from './release-data.ts'
import { askHook, tellHook } from './rollout-hooks.ts'
import { roomWords, tellOfHook, watchWords } from './rollout-progress.ts'
import { isProblem, relocate } from './release-path.ts'
import { makeGeneration, type Generation } from './worker-spec.ts'

export type DeployTarget =
  /** A directory, or what the configuration says now. */
  | ({ readonly kind: 'path' } & DeployRequest)
  /** An older release, as it was. */
  | { readonly kind: 'release'; readonly release: ReleaseRecord; readonly force?: boolean }

/** Until it has a rollout, an abort of `pending` gives it up. */
export function deployBody(app: App, desk: ReleaseDesk, target: DeployTarget, pending: PendingDeploy): Body {
  return async (tell, cause) => {
    const report = new Report(app, target.kind === 'path' ? 'deploy' : 'rollback', tell)
    desk.pending.enter(app.name, pending)
    try {
      mustGoOn(app, pending)
      const { generation, isRolling } = await nextRelease(app, desk, target)
      pending.release = report.release = generation.release.id
      mustGoOn(app, pending)
      if (!isRolling) report.begin(moveInWords(app, generation), app.activeGroup.wanted)
      const again = target.kind === 'release' ? againOf(target.release) : null
      const about = { app, desk, generation, isRolling, force: target.force === true, pending }
      const move = await makeWay({ ...about, cause, report, by: initiatorOf(target, cause), again })
      desk.pending.leave(app.name, pending)
      return await (isRolling ? deployRolling(move) : deployBeside(move))
    } catch (error) {
      if (!(error instanceof SuperviseError)) throw error
      if (pending.aborter.signal.aborted) app.record('deployAborted', error.message, cause)
      else app.record('deployRefused', error.message, cause, 'error')
      return report.fail(error)
    } finally {
      desk.pending.leave(app.name, pending)
    }
  }
}

/** Throws when a stop or an abort came while something was waited for: nothing may be started then. */
function mustGoOn(app: App, { aborter, release }: PendingDeploy): void {
  if (app.isStopped || app.activeGroup.isStopping) throw operationAborted(app.name, 'deploy')
  if (aborter.signal.aborted) throw deployAborted(app.name, release)
}

/** What is asked for, once it is known which release that is. */
interface Wish {
  readonly app: App
  readonly desk: ReleaseDesk
  readonly generation: Generation
  /** It has no group of its own: its workers take the places of those that serve. */
  readonly isRolling: boolean
  readonly force: boolean
  readonly pending: PendingDeploy
  readonly cause: string
  readonly by: string
  /** Id of the release that it is again; null for one that is new. */
  readonly again: string | null
  readonly report: Report
}

interface Move extends Wish {
  /** Of its data, against the release that serves. */
  readonly step: DataStep
}

/** Asks whoever has a say, before anything is touched, and then lets another release in the other group make room. */
async function makeWay(wish: Wish): Promise<Move> {
  const { app, generation, isRolling } = wish
  const asked = app.activeGroup.generation.release.id
  const step = judgeData(wish)
  await askHooks(wish, [
    'pre-rollout',
    ...(step === 'expand' ? ['expand' as const] : []),
    // There the traffic moves with the first worker.
    ...(isRolling ? ['confirm-promotion' as const] : []),
  ])
  await makeRoom(wish)
  // While hooks were asked and room was made the traffic may have gone back, or forward. From here on nothing moves it.
  const move = { ...wish, generation: { ...generation, group: isRolling ? app.active : app.standby } }
  if (app.activeGroup.generation.release.id === asked) return { ...move, step }
  const now = judgeData(move)
  if (now === 'expand' && step !== 'expand') await askHooks(move, ['expand'])
  return { ...move, step: now }
}

/** Throws when it cannot live on the data beside the release that serves. */
function judgeData({ app, desk, generation: next, force }: Wish): DataStep {
  const current = app.activeGroup.generation
  mustLiveTogether(app.name, current, next, force)
  mustReadWhatIsThere(app.name, next, desk.books.of(app.name)?.releases ?? [], force)
  return dataStep(dataVersionsOf(app.name, current), dataVersionsOf(app.name, next))
}

async function askHooks({ app, desk, generation: next, report, pending }: Wish, names: readonly HookName[]) {
  const from = app.activeGroup.generation.release.id
  const facts = { release: next.release.id, from, step: 'asked', outcome: null, why: null }
  for (const name of names) {
    const signal = AbortSignal.any([desk.untilStopped(app), pending.aborter.signal])
    const ask = () => askHook(app, next, name, facts, signal)
    const no = await tellOfHook(name, name in next.config.hooks, ask, report.stage)
    // A stop ends what was asked, and that is no answer.
    mustGoOn(app, pending)
    if (no !== null) throw hookSaidNo(app.name, next.release.id, no.why, no.lines)
  }
}

async function deployBeside(move: Move): Promise<OperationResult> {
  const { app, desk, generation, cause, again, report } = move
  const { wanted } = app.activeGroup
  const record = remember(move)
  app.record('deployStarted', moveInWords(app, generation), cause)
  tellMemory(app, wanted, cause, report)
  app.addGroup(generation, wanted)
  const runner = desk.begin(app, record, cause, report)
  // Whoever asks to go back has promoted it by that, also where a new release waits for a person.
  if (again !== null) runner.handle({ type: 'promoteWanted' })
  const reached = await runner.when(isDecided)
  await slotsFollow(app)
  if (runner.isClosed) return report.fail(operationAborted(app.name, 'deploy'))
  return conclude(app, reached, runner.failureLines, report)
}

function moveInWords(app: App, { release }: Generation): string {
  const { wanted, generation } = app.activeGroup
  return `${labelOf(generation.release)} → ${labelOf(release)}  blue-green, ${countOf(wanted)}`
}

/** Two releases need twice the memory: better said before than found out. */
function tellMemory(app: App, wanted: number, cause: string, report: Report): void {
  const samples = [...app.processes()].map(({ pid }) => app.sampleOf(pid))
  const workers = samples.map((sample) => (sample === null ? null : wholeRssBytes(sample)))
  const stage = memoryStage({ workers, wanted, availableBytes: availableMemory() })
  if (stage === null) return
  report.stage(stage)
  if (stage.state === 'warned') app.record('memoryShort', stage.text, cause, 'warn')
}

async function deployRolling(move: Move): Promise<OperationResult> {
  const { app, desk, generation, cause, report } = move
  const from = app.activeGroup.generation.release.id
  const { id } = remember(move)
  const result = await moveTo(app, generation, report, cause)
  const why = result.error?.message ?? null
  const outcome = result.ok ? 'promoted' : 'failed'
  desk.ended(app, id, { outcome, why, endedAt: new Date().toISOString() })
  const facts = { release: id, from, step: 'done', outcome, why }
  tellHook(app, generation, result.ok ? 'post-rollout' : 'rollback', facts)
  return result
}

function initiatorOf(target: DeployTarget, cause: string): string {
  return target.kind === 'release' ? `${cause}, as ${target.release.id} was` : cause
}

/** It serves, waits for a person, or was given up. */
export function isDecided({ state, outcome, successor }: Rollout): boolean {
  if (outcome !== null && outcome !== 'promoted') return servingSide(state) === 'old' || state === 'done'
  return ['awaiting', 'baking', 'retiring', 'endingOld', 'done'].includes(state) && successor === null
}

function conclude(app: App, reached: Rollout, lines: readonly string[], report: Report): OperationResult {
  const { state, outcome, why, release, from, flipMs } = reached
  if (outcome !== null && outcome !== 'promoted') {
    return report.fail(deployRefused(app.name, release, why ?? outcome, lines), whatServes(app))
  }
  if (state === 'awaiting')
    return report.succeed(`${release} is ready beside ${from}; \`supervise promote ${app.name}\` gives it the traffic`)
  const { bakeMs } = app.activeGroup.generation.config
  const serves = `${release} serves; switched in ${(flipMs ?? 0).toFixed(1)} ms, ${from} stays warm`
  return report.succeed(serves + watchWords(reached, bakeMs))
}

/** Another release in the other group makes room: the last one asked for is what runs. */
async function makeRoom({ app, desk, generation, pending, report }: Wish): Promise<void> {
  const runner = desk.runnerOf(app.name)
  if (runner !== null && !runner.isOver) {
    report.stage({ stage: 'room', state: 'warned', text: roomWords(runner.rollout, generation.release.id) })
    runner.handle({ type: 'superseded', why: `${generation.release.id} was deployed` })
    await Promise.race([runner.when(({ state }) => state === 'done'), untilAborted(pending.aborter.signal)])
    mustGoOn(app, pending)
  }
  await app.retireStandby()
  mustGoOn(app, pending)
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

interface NextRelease {
  /** Its group is chosen anew when there is room for it. */
  readonly generation: Generation
  readonly isRolling: boolean
}

async function nextRelease(app: App, desk: ReleaseDesk, target: DeployTarget): Promise<NextRelease> {
  const { id } = nextReleaseId(desk.books.of(app.name)?.nextRelease ?? 2)
  const number = app.nextGenerationNumber()
  if (target.kind === 'release') {
    const { config, path, version, own } = target.release
    const missing = [path, config.cwd, config.script].find((place) => !existsSync(place))
    if (missing !== undefined)
      throw releaseGone(app.name, target.release.id, missing, app.activeGroup.generation.release.id)
    if (config.node !== null) await nodeThatRuns(app, config.node, config)
    const generation = makeGeneration(number, app.standby, id, config, { version, own, isPinned: true })
    return { generation, isRolling: config.strategy === 'rolling' }
  }
  const root = target.path === null ? null : realPathOf(target.path)
  // The release that the configuration points at may be gone when another one takes its place.
  const config = await app.readConfig((read) => (root === null ? null : placeIn(app, read, root)))
  if (config.name !== app.name) throw appRenamed(app.name, config.name)
  const { version, node, env, strategy = config.strategy } = target
  if (config.isCommand && strategy !== 'rolling') throw commandWithoutGroups(app.name)
  if (config.isCommand && node !== undefined) throw commandWithoutNode(app.name)
  const own = {
    ...(node !== undefined && { node: await nodeThatRuns(app, node, config) }),
    ...(env !== undefined && { env }),
  }
  const named = { isPinned: true, own, root, ...(version !== null && { version }) }
  const placed = root === null ? config : placeIn(app, config, root)
  return { generation: makeGeneration(number, app.standby, id, placed, named), isRolling: strategy === 'rolling' }
}

/** What a path leads to, once it is known to be a Node that workers can run with. */
async function nodeThatRuns(app: App, file: string, { env }: AppConfig): Promise<string> {
  const node = await askNode(file, env)
  if (!node.ok) throw releaseNodeUnusable(app.name, node.problem)
  return node.execPath
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
function remember({ app, desk, generation, by: deployedBy, again, step }: Move): ReleaseRecord {
  const { release, config, given, own } = generation
  const first: AppReleases = {
    nextRelease: 2,
    active: app.active,
    lastGood: app.activeGroup.generation.release.id,
    releases: [currentRelease(app)],
    rollout: null,
  }
  const known = desk.books.of(app.name) ?? first
  const versionsOf = (one: Generation) => dataVersionsOf(app.name, one)
  const current = known.releases.find(({ id }) => id === app.activeGroup.generation.release.id) ?? currentRelease(app)
  const record: ReleaseRecord = {
    id: release.id,
    version: release.version,
    path: release.path,
    createdAt: new Date().toISOString(),
    config,
    given,
    own,
    deployedBy,
    outcome: null,
    why: null,
    endedAt: null,
    ...(again !== null && { again }),
    contract: contractOwed(
      step,
      current,
      readsNothingOlder(versionsOf(app.activeGroup.generation), versionsOf(generation)),
    ),
  }
  const inUse = [app.activeGroup.generation.release.id, release.id, known.lastGood ?? '']
  const releases = prune([...known.releases, record], inUse)
  desk.books.set(app.name, { ...known, nextRelease: nextReleaseId(known.nextRelease).nextRelease, releases })
  return record
}
