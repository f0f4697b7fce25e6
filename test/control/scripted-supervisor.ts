// A supervisor that does what a test says: the control API's only stand-in, since what is tested is the way to it.

/* oxlint-disable typescript/no-unsafe-type-assertion, unicorn/consistent-function-scoping -- a test knows what it was answered */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openInstanceDirectory, type InstanceDirectory } from '../../src/control/instance-directory.ts'
import type {
  AppDescription,
  AppStatus,
  EventRecord,
  LogRecord,
  OperationResult,
  ProgressLine,
} from '../../src/control/messages.ts'
import { packageVersion } from '../../src/control/package-version.ts'
import { startControlServer, type ControlServer, type ServerLimits } from '../../src/control/server.ts'
import { unknownCrash } from '../../src/errors/app.ts'
import { EXIT, SuperviseError } from '../../src/errors.ts'
import type { Feed, OperationContext, SupervisorOperations } from '../../src/supervisor/operations.ts'

export interface Asked {
  readonly operation: string
  readonly values: readonly unknown[]
  readonly cause: string | null
}

export interface ScriptedSupervisor {
  readonly asked: Asked[]
  readonly logFeed: ScriptedFeed<LogRecord>
  readonly eventFeed: ScriptedFeed<EventRecord>
  readonly operations: SupervisorOperations
}

export class ScriptedFeed<Item> implements Feed<Item> {
  recent: Item[] = []
  readonly #listeners = new Set<(item: Item) => void>()

  get followers(): number {
    return this.#listeners.size
  }

  follow(listener: (item: Item) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(item: Item): void {
    for (const listener of this.#listeners) listener(item)
  }
}

export function scriptSupervisor(script: Partial<SupervisorOperations> = {}): ScriptedSupervisor {
  const asked: Asked[] = []
  const logFeed = new ScriptedFeed<LogRecord>()
  const eventFeed = new ScriptedFeed<EventRecord>()
  const note = (operation: string, values: readonly unknown[], context?: OperationContext) =>
    asked.push({ operation, values, cause: context?.cause ?? null })

  const operate =
    (kind: OperationResult['kind']) =>
    (...values: readonly unknown[]): Promise<OperationResult> => {
      note(kind, values.slice(0, -1), values.at(-1) as OperationContext)
      const app = typeof values[0] === 'string' ? values[0] : 'web'
      return app === 'web' ? Promise.resolve(resultOf(kind)) : Promise.reject(unknownApp(app))
    }

  const startedAt = performance.now()
  const operations: SupervisorOperations = {
    version: packageVersion(),
    ping: () => ({
      instance: 'test',
      pid: process.pid,
      version: packageVersion(),
      uptimeSeconds: (performance.now() - startedAt) / 1_000,
    }),
    status: () => ({
      instance: 'test',
      pid: process.pid,
      version: packageVersion(),
      nodeVersion: process.version,
      detached: false,
      keptBy: { who: 'nobody', pid: null },
      zombies: null,
      startedAt: '2026-01-01T00:00:00.000Z',
      limits: NO_LIMITS,
      apps: [appStatus()],
    }),
    describe: (app) => {
      if (app !== 'web' && app !== 'my app/1') throw unknownApp(app)
      return describeApp(app)
    },
    samplesOf: (app) => ({ app, everySeconds: 10, workers: [] }),
    crashes: (app) => {
      note('crashes', [app])
      return { groups: [], crashes: [] }
    },
    upgrades: {
      upgrade: (request, cause) => {
        note('upgrade', [request], { cause, progress: () => {} })
        const { dryRun = false } = request
        const versions = { from: '0.0.0', to: '0.0.1', nodeVersion: process.version }
        return Promise.resolve({ instance: 'test', dryRun, ...versions, pid: 1, newPid: 2, handOverMs: 3, notes: [] })
      },
      whenInCharge: () => Promise.resolve(),
      onReplaced: () => () => {},
    },
    crashDesk: {
      crash: (id) => {
        throw unknownCrash(id)
      },
    },
    metrics: {
      families: () => Promise.resolve([]),
      expose: (app) => {
        const text = `# HELP a A${app === null ? '' : ` of ${app}`}.\n`
        return Promise.resolve({ text, contentType: 'text/plain; charset=utf-8' })
      },
      health: () => ({
        live: { ok: true, why: 'it is' },
        started: { ok: true, why: 'it has' },
        ready: { ok: false, why: 'web does not serve (starting)' },
      }),
      controlRequest: () => {},
    },
    diff: (app) => Promise.resolve({ app, changes: [] }),
    logs: (query) => {
      note('logs', [query])
      return logFeed
    },
    reopenLogs: (app) => {
      note('reopenLogs', [app])
      return Promise.resolve(['/var/log/web.log'])
    },
    events: (query) => {
      note('events', [query])
      return Promise.resolve(eventFeed)
    },
    start: async (...values) => [await operate('start')(...values)],
    resume: operate('start'),
    reload: operate('reload'),
    restart: operate('restart'),
    scale: operate('scale'),
    stop: operate('stop'),
    delete: operate('delete'),
    signal: operate('signal'),
    releases: {
      history: (app) => {
        note('history', [app])
        return []
      },
      preview: (app) => ({ app, release: 'r2', version: null, group: 'green', url: null, endpoints: [] }),
      deploy: operate('deploy'),
      watch: operate('rollout'),
      flip: operate('flip'),
      rollback: operate('rollback'),
      promote: operate('rollout'),
      pause: operate('rollout'),
      resume: operate('rollout'),
      abort: operate('rollout'),
    },
    chaos: {
      outlook: (app, forMs) => {
        note('outlook', [app, forMs])
        return { app, serving: 2, faults: [], busy: null }
      },
      run: operate('chaos'),
    },
    shutdown: async (...values) => [await operate('stop')(...values)],
    ...script,
  }
  return { asked, logFeed, eventFeed, operations }
}

export function resultOf(kind: OperationResult['kind'], change: Partial<OperationResult> = {}): OperationResult {
  return {
    app: 'web',
    kind,
    ok: true,
    text: `${kind} is done`,
    tookMs: 1,
    workers: 2,
    generation: 1,
    requestsCut: 0,
    steps: [],
    error: null,
    ...change,
  }
}

export function unknownApp(app: string): SuperviseError {
  return new SuperviseError('UNKNOWN_APP', `Cannot find app "${app}"`, 'Look at status.', EXIT.unknownTarget)
}

export function logRecord(line: string): LogRecord {
  return { time: 't', app: 'web', group: 'blue', release: 'r1', worker: 1, pid: 2, stream: 'stdout', line }
}

export function eventRecord(seq: number): EventRecord {
  return {
    seq,
    time: 't',
    type: 'reloaded',
    app: 'web',
    text: 'reloaded',
    cause: 'command by root',
    actor: { kind: 'command', name: 'root' },
  }
}

export const stepLine: ProgressLine = { type: 'step', app: 'web', worker: 1, state: 'starting' }

function appStatus(name = 'web'): AppStatus {
  return {
    name,
    state: 'online',
    reason: null,
    active: 'blue',
    instances: 2,
    listeners: [],
    operation: null,
    rollout: null,
    lastRollout: null,
    nextStart: null,
    watching: false,
    probes: [],
    rehearsal: null,
    groups: { blue: null, green: null },
  }
}

const NO_LIMITS = { memoryBytes: null, memoryUsedBytes: null, cpuCores: null }

function describeApp(name: string): AppDescription {
  const start = { script: '/app.js', hasAgent: true, args: [], cwd: '/', nodeArgs: [], node: null }
  const config = { file: null, ...start, environmentNames: [], options: {} }
  const figures = { objectives: [], tracing: null, resources: [], limits: NO_LIMITS }
  return { ...appStatus(name), config, crashes: [], events: [], ...figures }
}

export interface Running {
  readonly directory: InstanceDirectory
  readonly environment: Readonly<Record<string, string>>
  readonly supervisor: ScriptedSupervisor
  readonly server: ControlServer
  readonly errors: unknown[]
  stop(): Promise<void>
}

/** A control server of its own on a socket of its own. */
export async function serve(
  script: Partial<SupervisorOperations> = {},
  limits: Partial<ServerLimits> = {},
): Promise<Running> {
  const root = mkdtempSync(join(tmpdir(), 'control-'))
  const environment = { SUPERVISE_RUNTIME_DIR: root }
  const directory = openInstanceDirectory('test', environment)
  const supervisor = scriptSupervisor(script)
  const errors: unknown[] = []
  const server = await startControlServer(directory, supervisor.operations, {
    onError: (error) => errors.push(error),
    limits,
  })
  const stop = async () => {
    await server.close(100)
    rmSync(root, { recursive: true, force: true })
  }
  return { directory, environment, supervisor, server, errors, stop }
}

/** Waits for a fact; fails when it is not so in time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs
  // oxlint-disable-next-line no-await-in-loop -- asks again until it is so
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Not so within ${withinMs} ms: ${what}`)
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
