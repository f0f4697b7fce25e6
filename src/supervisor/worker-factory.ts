// Makes worker handles: of a process that is forked now, or of one that an earlier supervisor forked.

import { reached } from '../fault-points.ts'
import type { AgentSettings } from '../protocol/messages.ts'
import type { WorkerOutput } from '../telemetry/worker-output.ts'
import { channelToWorker } from '../protocol/ipc-channel.ts'
import type { CommandSockets } from './command-sockets.ts'
import { diagnosticFlags } from './diagnostic-flags.ts'
import { forkWorker } from './fork.ts'
import type { Instance } from './instance.ts'
import { awaitHello, type Receive } from './link-desk.ts'
import { spawnCommand } from './spawn-command.ts'
import { WorkerHandle, type Identity, type WorkerOwner } from './worker-handle.ts'

/** A process that an earlier supervisor forked. */
export interface Found {
  readonly pid: number
  readonly ageMs: number
  readonly wasReady: boolean
}

export class WorkerFactory {
  readonly #instance: Instance
  readonly #sockets: CommandSockets
  readonly #receive: Receive

  /** `receive` is for a worker whose Node has no link of its own (docs/explanation/sockets.md). */
  constructor(instance: Instance, sockets: CommandSockets, receive: Receive) {
    this.#instance = instance
    this.#sockets = sockets
    this.#receive = receive
  }

  /** Throws what the fork throws. Its output is read from the next turn of the loop on. */
  fork(app: string, identity: Identity, owner: WorkerOwner, output: WorkerOutput): WorkerHandle {
    const settings = this.#settingsOf(app, identity)
    const { config, release } = identity.generation
    reached('worker.forking')
    if (config.isCommand) return this.#spawn(settings, identity, owner, output)
    const { linkPath } = this.#instance.places
    const child = forkWorker({ config, settings, version: release.version, linkPath, stdio: output.childStdio })
    const worker = new WorkerHandle(identity, owner, { child, pid: child.process.pid ?? 0 })
    reached('worker.forked', worker.pid)
    output.begin(child.process)
    awaitHello(channelToWorker(child.process), this.#receive)
    return worker
  }

  // oxlint-disable-next-line max-params
  #spawn(settings: AgentSettings, identity: Identity, owner: WorkerOwner, output: WorkerOutput): WorkerHandle {
    const { config, release } = identity.generation
    const whose = { settings, version: release.version }
    const child = spawnCommand({
      config,
      identity: whose,
      stdio: output.childStdio,
      sockets: this.#sockets.given(config),
    })
    const worker = new WorkerHandle(identity, owner, { child, pid: child.pid ?? 0 })
    reached('worker.forked', worker.pid)
    output.begin(child)
    return worker
  }

  adopt(identity: Identity, owner: WorkerOwner, found: Found): WorkerHandle {
    return new WorkerHandle(identity, owner, { child: null, ...found })
  }

  #settingsOf(app: string, identity: Identity): AgentSettings {
    const { generation } = identity
    return {
      app,
      group: generation.group,
      release: generation.release.id,
      worker: identity.id,
      incarnation: identity.incarnation,
      endpointDirectory: this.#instance.places.endpointDirectory,
      heartbeatMs: heartbeatMs(generation.config.hangTimeoutMs),
      maxRequestsPerConnection: generation.config.maxRequestsPerConnection,
      drainTimeoutMs: generation.config.drainTimeoutMs,
      drainSpreadMs: generation.config.drainSpreadMs,
      releaseHeader: generation.config.releaseHeader,
      tracing: generation.config.tracing ?? null,
      addedFlags: diagnosticFlags(generation.config, this.#instance.crashDesk.diagnostics.directory),
    }
  }
}

const SLOWEST_BEAT_MS = 2000
const FASTEST_BEAT_MS = 100

/** Four beats in the time after which a worker counts as hanging. */
function heartbeatMs(hangTimeoutMs: number): number {
  if (hangTimeoutMs === 0) return SLOWEST_BEAT_MS
  return Math.round(Math.min(SLOWEST_BEAT_MS, Math.max(FASTEST_BEAT_MS, hangTimeoutMs / 4)))
}
