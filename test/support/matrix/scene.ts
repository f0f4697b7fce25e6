// A detached instance that the fault matrix attacks: an app with two workers (and another one beside it, where the first is
// stopped and started), releases to move between, and what must be so when everything has come to rest.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { AppStatus, GroupStatus, InstanceStatus, WorkerStatus } from '../../../src/control/messages.ts'
import type { InstanceState } from '../../../src/state/instance-state.ts'
import { freePort } from '../free-port.ts'
import { get } from '../get.ts'
import { Home } from '../home.ts'
import { statusOf } from '../instance-facts.ts'
import { mustExit } from '../must-exit.ts'
import { commandOf, countDescriptors, stateOf, zombiesOf } from '../processes.ts'
import { makeRelease } from '../releases.ts'
import { until } from '../until.ts'
import { Faults } from './faults.ts'

const WORKERS = 2
/** Version of the release that never starts. */
export const BROKEN = 'broken'

/** Time enough for the slowest way: a worker that is stopped in its drain is killed after 5.5 s. */
const REST_MS = 30_000

/** So that a case takes seconds. Crashes are what is tested here: they must not add up to a crash loop. */
const FLAGS = `
  --min-ready 100ms --drain-timeout 3s --drain-spread 0 --kill-timeout 2s
  --hang-timeout 2s --ready-timeout 6s --replace-adopted 1h
  --backoff-first 50ms --backoff-max 200ms --max-restarts 10000`
  .trim()
  .split(/\s+/)

/** In which a rollout may stay. */
const RESTING: ReadonlySet<string | undefined> = new Set([undefined, 'retiring', 'withdrawn', 'baking'])

export interface SceneChoice {
  /** How long the other release stays beside the one that serves. */
  readonly keep: '0' | '10m'
  /** How long a new release is watched. */
  readonly bake: '0' | '10m'
  /** Another app, which has the load. */
  readonly other: boolean
  /** The app may come to rest without a worker, and say so. */
  readonly mayFail?: true
  /** Default: 2. */
  readonly workers?: number
  /** Beside what makes a case take seconds. */
  readonly flags?: readonly string[]
}

export interface Descriptors {
  readonly supervisor: number
  readonly worker: number
}

export class Scene {
  readonly home = new Home()
  readonly faults = new Faults(this.home.directory)
  readonly port: number
  /** Where the load goes. */
  readonly loadPort: number
  readonly #choice: SceneChoice

  private constructor(choice: SceneChoice, port: number) {
    this.#choice = choice
    this.port = port
    this.loadPort = choice.other ? port + 1 : port
  }

  static async start(choice: SceneChoice): Promise<Scene> {
    const scene = new Scene(choice, await freePort(2))
    for (const version of ['1', '2']) makeRelease(scene.release(version), { fixture: 'hello.js', version })
    makeRelease(scene.release(BROKEN), { fixture: 'throws-at-boot.js', version: BROKEN })
    await scene.begin()
    return scene
  }

  release(version: string): string {
    const directory = join(this.home.work, 'releases', version)
    mkdirSync(directory, { recursive: true })
    return directory
  }

  /** Starts what is to run, from nothing. */
  async begin(): Promise<void> {
    if (this.#choice.other) await this.#start('other', 1, this.loadPort)
    await this.#start('web', this.#choice.workers ?? WORKERS, this.port)
  }

  async #start(name: string, workers: number, port: number): Promise<void> {
    const { keep, bake, flags = [] } = this.#choice
    const script = join(this.release('1'), 'app.js')
    const words = ['start', script, '-d', '--instance', 'm', '-n', name, '-i', String(workers), '--port', String(port)]
    const more = ['--rollback-window', keep, '--abort-delay', keep, '--bake', bake, ...FLAGS, ...flags]
    mustExit(await this.home.cli([...words, ...more], { env: this.faults.env }), 0)
  }

  /** Begins an operation; never rejects: a supervisor that is killed answers nobody. */
  async post(path: string, body: unknown = {}): Promise<string> {
    return this.home.api('POST', path, body, 'm').then(
      ({ text }) => text,
      (error: unknown) => String(error),
    )
  }

  status(): Promise<InstanceStatus> {
    return statusOf({ api: (method: string, path: string, body?: unknown) => this.home.api(method, path, body, 'm') })
  }

  async app(name = 'web'): Promise<AppStatus> {
    const app = (await this.status()).apps.find((each) => each.name === name)
    if (app === undefined) throw new Error(`There is no app "${name}"`)
    return app
  }

  async version(): Promise<string | null> {
    const { groups, active } = await this.app()
    return groups[active]?.version ?? null
  }

  /** Pids of the app's workers, in the order of their ids. */
  async pids(): Promise<readonly number[]> {
    return workersOf(await this.app()).flatMap(({ pid }) => pid ?? [])
  }

  /** Waits until everything is at rest and as it should be; says what is not. */
  untilAtRest(withinMs = REST_MS): Promise<InstanceStatus> {
    const look = async (): Promise<InstanceStatus> => {
      const status = await this.status()
      const problems = [...this.#apps(status), ...this.#strangers(status), ...this.#files(status)]
      if (problems.length > 0) throw new Error(problems.join('; '))
      await Promise.all(status.apps.filter(isOnline).map((app) => this.#mustAnswer(app)))
      return status
    }
    return until(look, withinMs, 'everything is at rest, and of one generation')
  }

  /** Nothing of the instance is left: it ended as a whole. */
  async untilNothingIsLeft(): Promise<void> {
    const left = () => [
      ...this.home.processes().map((pid) => `${pid} (${commandOf(pid)}, ${stateOf(pid)})`),
      ...readdirSync(this.home.runtime),
    ]
    await until(() => left().length === 0 || `left: ${left().join(', ')}` === '', REST_MS, 'nothing is left').catch(
      (error: unknown) => {
        throw new Error(`Left: ${left().join(', ')}`, { cause: error })
      },
    )
  }

  #apps({ apps }: InstanceStatus): readonly string[] {
    const mayFail = this.#choice.mayFail === true
    const isAtRest = (app: AppStatus) => mayFail && app.state === 'failed' && app.operation === null
    return apps.flatMap((app) =>
      isAtRest(app) && workersOf(app).every(({ pid }) => pid === null) ? [] : problemsOf(app),
    )
  }

  async #mustAnswer({ name, groups, active }: AppStatus): Promise<void> {
    const port = name === 'web' ? this.port : this.loadPort
    const answers = await Promise.all(Array.from({ length: 6 }, () => get({ host: '127.0.0.1', port })))
    const releases = new Set(answers.map(({ headers }) => headers['x-release']))
    expect([...releases], `releases that answer for ${name}`).toEqual([groups[active]?.version])
  }

  /** Processes that the supervisor does not speak of, or that nobody waited for. */
  #strangers(status: InstanceStatus): readonly string[] {
    const known = status.apps.flatMap(workersOf).flatMap(({ pid }) => pid ?? [])
    const keeper = status.keptBy.pid
    const expected = new Set([...known, status.pid, keeper])
    const strangers = this.home.processes().filter((pid) => !expected.has(pid))
    const zombies = [status.pid, ...(keeper === null ? [] : [keeper])].flatMap((pid) => zombiesOf(pid))
    return [
      ...strangers.map((pid) => `${pid} is nobody's (${commandOf(pid)}, ${stateOf(pid)})`),
      ...zombies.map((pid) => `${pid} is a zombie`),
      ...(keeper === null ? ['it has no keeper'] : []),
    ]
  }

  /** State that cannot be read or says something else, and files of processes that are gone. */
  #files(status: InstanceStatus): readonly string[] {
    const directory = this.home.instanceDirectory('m')
    const state = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as InstanceState
    const pids = status.apps.flatMap(workersOf).flatMap(({ pid }) => pid ?? [])
    const known = new Set(state.workers.map(({ incarnation }) => incarnation))
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    const ofWorkers = files.filter((file) => /^(output|endpoints)\//.test(file))
    const books = readdirSync(join(this.home.directory, 'state'), { recursive: true, encoding: 'utf8' })
    return [
      ...(inOrder(state.workers.map(({ pid }) => pid)) === inOrder(pids) ? [] : ['state.json names other workers']),
      ...ofWorkers.filter((file) => !known.has(incarnationOf(file))).map((file) => `${file} is left over`),
      ...[...files, ...books].filter((file) => file.endsWith('.tmp')).map((file) => `${file} is left over`),
    ]
  }

  /** Of the supervisor, and the most of a worker. */
  async descriptors(): Promise<Descriptors> {
    const { pid } = await this.status()
    const workers = (await this.pids()).map((worker) => countDescriptors(worker))
    return { supervisor: countDescriptors(pid), worker: Math.max(...workers) }
  }

  /** What it said last, for whoever has to find out what went wrong. */
  lastEvents(): string {
    const state = join(this.home.directory, 'state')
    const files = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ndjson'))
    const lines = files.flatMap((file) => readFileSync(join(state, file), 'utf8').trim().split('\n'))
    return lines.slice(-25).join('\n')
  }

  /** When all workers are new and of this supervisor's own making, so that what is left over from before can be told. */
  async descriptorsAfterReload(): Promise<Descriptors> {
    await this.post('/v1/apps/web/reload')
    await this.untilAtRest()
    return this.descriptors()
  }

  async remove(): Promise<void> {
    await this.home.remove()
  }
}

export function workersOf({ groups }: AppStatus): readonly WorkerStatus[] {
  return [...(groups.blue?.workers ?? []), ...(groups.green?.workers ?? [])]
}

function isOnline({ state }: AppStatus): boolean {
  return state === 'online'
}

function problemsOf(app: AppStatus): readonly string[] {
  const { name, state, operation, rollout, groups, active } = app
  if (operation !== null) return [`${name} is busy with ${operation.kind}`]
  if (state === 'stopped') return workersOf(app).length === 0 ? [] : [`${name} is stopped and has workers`]
  const standby = active === 'blue' ? groups.green : groups.blue
  return [
    ...(state === 'online' ? [] : [`${name} is ${state}`]),
    ...(RESTING.has(rollout?.step) ? [] : [`its rollout is at ${rollout?.step}`]),
    ...groupProblems(groups[active], 'serving', app.instances),
    ...(standby === null ? [] : groupProblems(standby, 'standby', app.instances)),
    ...(standby !== null && rollout === null ? ['a second group is left'] : []),
  ]
}

function groupProblems(group: GroupStatus | null, state: 'serving' | 'standby', wanted: number): readonly string[] {
  const workers = group?.workers ?? []
  const generations = new Set(workers.map(({ generation }) => generation))
  return [
    ...(workers.length === wanted ? [] : [`${workers.length} workers of ${wanted}`]),
    ...workers.filter((worker) => worker.state !== state).map(({ id, state: is }) => `worker ${id} is ${is}`),
    ...(generations.size === 1 ? [] : [`generations ${[...generations].join(', ')} side by side`]),
  ]
}

function inOrder(pids: readonly number[]): string {
  return pids.toSorted((a, b) => a - b).join(' ')
}

/** `output/abcd1234.out`, `endpoints/abcd1234-1.sock`. */
function incarnationOf(file: string): string {
  return file.split('/')[1]?.split(/[-.]/)[0] ?? ''
}
