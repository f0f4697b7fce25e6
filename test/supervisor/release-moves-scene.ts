// A real app with real groups, books and rollouts, whose processes and clock do as they are told: what tests of its moves
// between releases share.

import { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AppConfig, ConfigSource } from '../../src/config/app-config.ts'
import { readConfig } from '../../src/config/read-config.ts'
import type { EventRecord, OperationResult } from '../../src/control/messages.ts'
import type { DataVersions } from '../../src/core/data-versions.ts'
import type { LifeState } from '../../src/core/worker-lifecycle.ts'
import type { SupervisorMessage } from '../../src/protocol/messages.ts'
import { App } from '../../src/supervisor/app.ts'
import { BootGate } from '../../src/supervisor/boot-gate.ts'
import type { Instance } from '../../src/supervisor/instance.ts'
import type { LaunchSteps } from '../../src/supervisor/launch.ts'
import { ReleaseBooks } from '../../src/supervisor/release-books.ts'
import { ReleaseDesk } from '../../src/supervisor/release-desk.ts'
import { WorkerHandle, type Identity } from '../../src/supervisor/worker-handle.ts'
import { makeGeneration, type Generation } from '../../src/supervisor/worker-spec.ts'
import { Measures } from '../../src/telemetry/measures.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { FakeClock } from './fake-borrowers.ts'

/** No system gives numbers so high, so that no signal reaches anybody. */
const NO_PID = 5_000_000
const STEP_MS = 20

interface FakeProcesses {
  fork(this: void, identity: Identity): WorkerHandle
  exit(worker: WorkerHandle): void
}

class FakeApp extends App {
  readonly #processes: FakeProcesses

  constructor(generation: Generation, instance: Instance, processes: FakeProcesses) {
    super('web', SOURCE, generation, 2, instance)
    this.#processes = processes
  }

  override moved(worker: WorkerHandle, from: LifeState): void {
    super.moved(worker, from)
    // A signal reaches nobody here.
    if (worker.state === 'stopping' || worker.state === 'killing') setImmediate(() => this.#processes.exit(worker))
  }

  override get steps(): LaunchSteps {
    return {
      gate: new BootGate(9),
      prepare: async () => {},
      makeOutput: async () => ({ close() {} }) as never,
      fork: this.#processes.fork,
    }
  }
}

export class Scene {
  readonly clock = new FakeClock()
  readonly directory = mkdtempSync(join(tmpdir(), 'moves-'))
  readonly workers: WorkerHandle[] = []
  /** Do not answer a route table. */
  readonly silent = new Set<WorkerHandle>()
  /** Have something that they do not finish. */
  readonly busy = new Set<WorkerHandle>()
  /** What is deployed next is configured like this. */
  config: AppConfig
  readonly app: App
  readonly desk: ReleaseDesk
  readonly #children = new Map<WorkerHandle, EventEmitter>()
  readonly #events = new EventLog({ logger: { debug() {}, info() {}, warn() {}, error() {} } })

  /** Release r1 serves with two workers. */
  static async begin(config: Partial<AppConfig>): Promise<Scene> {
    const directory = mkdtempSync(join(tmpdir(), 'moves-app-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    makeRelease(directory, { writes: 1, reads: [1] })
    const flags = { script: join(directory, 'app.js'), name: 'web', workers: '2', minReady: '0' }
    const read = await readConfig({ ...SOURCE, directory, flags })
    const scene = new Scene({ ...read, ...config })
    const { app } = scene
    app.begin()
    const plan = { surge: 2, booting: 2, minReadyMs: 0, answerMs: 1000, restorable: false }
    await scene.pass(app.activeGroup.replace([1, 2], app.activeGroup.generation, plan, () => {}).result)
    return scene
  }

  private constructor(config: AppConfig) {
    this.config = config
    const fork = (identity: Identity) => this.#fork(identity)
    const exit = (worker: WorkerHandle) => this.exit(worker)
    this.app = new FakeApp(makeGeneration(1, 'blue', 'r1', config), this.#instance(), { fork, exit })
    const books = new ReleaseBooks(join(this.directory, 'releases.json'), () => {})
    onTestFinished(() => {
      books.close()
      rmSync(this.directory, { recursive: true, force: true })
    })
    const find = () => this.app
    this.desk = new ReleaseDesk({ running: find, find, whileBusy: (body) => body() }, books)
  }

  /** By a person called so. */
  ask(wish: 'deploy' | 'flip' | 'abort' | 'promote' | 'rollback', cause = 'test'): Promise<OperationResult> {
    const context = { cause, progress: () => {} }
    const { desk } = this
    if (wish === 'deploy') return desk.deploy('web', { path: null, version: null }, context)
    if (wish === 'rollback') return desk.rollback('web', { release: null }, context)
    return desk[wish]('web', context)
  }

  /** What is deployed next is in a directory of its own, and says this of its data. */
  nextWrites(data: DataVersions): void {
    const directory = join(this.directory, `data-${data.writes}-${data.reads.join('-')}`)
    makeRelease(directory, data)
    this.config = { ...this.config, script: join(directory, 'app.js'), cwd: directory }
  }

  /** Time goes on until it is known. */
  async pass<Result>(promise: Promise<Result>): Promise<Result> {
    let isKnown = false
    const settled = promise.finally(() => (isKnown = true))
    settled.catch(() => {})
    await this.passUntil(() => isKnown)
    return settled
  }

  async passUntil(isSo: () => boolean): Promise<void> {
    for (let steps = 0; !isSo(); steps += 1) {
      if (steps > 20_000) throw new Error('It never came')
      // oxlint-disable-next-line no-await-in-loop -- time goes on step by step
      await this.passMs(STEP_MS)
    }
  }

  async passMs(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(left, STEP_MS))
      // oxlint-disable-next-line no-await-in-loop -- and whoever waited for it acts
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** All is done that needs no time. */
  async settle(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one leads to the next
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Of the release that serves, and of the one beside it. */
  releases(): readonly (string | null)[] {
    const { activeGroup, standbyGroup } = this.app
    return [activeGroup.generation.release.id, standbyGroup?.generation.release.id ?? null]
  }

  workersOf(release: string): readonly WorkerHandle[] {
    return this.workers.filter(({ generation }) => generation.release.id === release)
  }

  statesOf(release: string): readonly string[] {
    return this.workersOf(release).map(({ state }) => state)
  }

  get step(): string | null {
    return this.desk.runnerOf('web')?.rollout.state ?? null
  }

  events(type: string): readonly EventRecord[] {
    return this.#events.feed('web', 1000).recent.filter((event) => event.type === type)
  }

  exit(worker: WorkerHandle): void {
    this.#children.get(worker)?.emit('exit', 0, null)
  }

  #fork(identity: Identity): WorkerHandle {
    const child = new EventEmitter()
    const owner = this.app.groups[identity.generation.group]
    if (owner === null) throw new Error('there is no such group')
    const origin = { child: child as never, pid: NO_PID + this.workers.length }
    const worker = new WorkerHandle(identity, owner, origin)
    this.workers.push(worker)
    this.#children.set(worker, child)
    const send = (message: SupervisorMessage) => setImmediate(() => this.#answer(worker, message))
    worker.link({ send, onMessage() {}, onEnd() {}, close() {}, ref() {}, unref() {} })
    setImmediate(() => worker.handle('becameReady'))
    return worker
  }

  #answer(worker: WorkerHandle, message: SupervisorMessage): void {
    if (message.type === 'ask') worker.hear({ type: 'answered' })
    if (message.type === 'route' && !this.silent.has(worker))
      this.app.routing.answered(worker, message.table?.epoch ?? 0)
    if (message.type === 'drain' && !this.busy.has(worker) && worker.state === 'draining') this.exit(worker)
  }

  #instance(): Instance {
    const crash = { record: { id: 'c1', words: 'was killed', reason: 'signal' }, advice: null, saysAll: true }
    return {
      name: 'test',
      clock: this.clock,
      gate: new BootGate(9),
      eventLog: this.#events,
      samples: { fresh: async () => new Map(), of: () => null } as never,
      crashDesk: { take: () => crash } as never,
      places: { linkPath: '', endpointDirectory: '', outputDirectory: '', inherited: { take: () => null } },
      log() {},
      readConfig: async () => this.config,
      saveSoon() {},
      saveNow() {},
      appChanged() {},
      measures: new Measures(),
      metrics: { merge: { greet: () => {}, heard: () => {} } },
      // Made after the app.
      releases: {
        ends: (app) => this.desk.ends(app),
        stopped: (app) => this.desk.stopped(app),
        serves: (app, worker) => this.desk.serves(app, worker),
        crashed: (app, worker, words) => this.desk.crashed(app, worker, words),
      },
      workerShareBytes: () => null,
      recycle: async () => false,
    }
  }
}

const SOURCE: ConfigSource = { file: null, app: null, flags: {}, directory: '/', environment: { HOME: '/root' } }

function makeRelease(directory: string, data: DataVersions): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'app.js'), '')
  writeFileSync(join(directory, 'package.json'), '{}')
  writeFileSync(join(directory, 'supervise.release.json'), JSON.stringify({ data }))
}

/** A hook that says yes as soon as it may. */
export function makeGate(): { readonly command: string; open(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'gate-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'open')
  return { command: `until test -e ${file}; do sleep 0.02; done`, open: () => writeFileSync(file, '') }
}
