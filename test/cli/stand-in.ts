// Supervisors that do what a test says, behind real control sockets, in a runtime directory of their own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openInstanceDirectory } from '../../src/control/instance-directory.ts'
import type { AppStatus, OperationResult } from '../../src/control/messages.ts'
import { startControlServer, type ControlServer } from '../../src/control/server.ts'
import type { SupervisorOperations } from '../../src/supervisor/operations.ts'
import { scriptSupervisor, type ScriptedSupervisor } from '../control/scripted-supervisor.ts'
import { instance } from './statuses.ts'

export class StandIns {
  readonly root = mkdtempSync(join(tmpdir(), 'cli-'))
  readonly environment: Readonly<Record<string, string>> = {
    SUPERVISE_RUNTIME_DIR: join(this.root, 'run'),
    XDG_STATE_HOME: join(this.root, 'state'),
  }
  readonly #servers: ControlServer[] = []
  readonly #complain = (error: unknown): void => {
    throw error
  }

  /** A supervisor that answers, with these apps. */
  async live(
    name: string,
    apps: readonly AppStatus[],
    script: Partial<SupervisorOperations> = {},
  ): Promise<ScriptedSupervisor> {
    const status = instance({ instance: name, pid: process.pid, apps })
    const supervisor = scriptSupervisor({
      ping: () => ({ instance: name, pid: process.pid, version: '0.1.0', uptimeSeconds: 61 }),
      status: () => status,
      ...script,
    })
    const directory = openInstanceDirectory(name, this.environment)
    this.#servers.push(await startControlServer(directory, supervisor.operations, { onError: this.#complain }))
    return supervisor
  }

  /** A supervisor that died while this process, as its only worker, goes on. */
  dead(name: string, startTime: string): void {
    const { stateFile } = openInstanceDirectory(name, this.environment)
    writeFileSync(stateFile, JSON.stringify({ workers: [{ pid: process.pid, startTime }] }))
  }

  /** A directory of somebody who types commands, with these scripts in it; returns its path. */
  project(scripts: Readonly<Record<string, string>>): string {
    const project = join(this.root, 'shop')
    mkdirSync(project)
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(project, name), text)
    return project
  }

  async end(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close(100)))
    rmSync(this.root, { recursive: true, force: true })
  }
}

export function result(change: Partial<OperationResult> = {}): OperationResult {
  return {
    app: 'web',
    kind: 'reload',
    ok: true,
    text: '2 of 2 workers serve',
    tookMs: 1_234,
    workers: 2,
    generation: 2,
    requestsCut: 0,
    steps: [],
    error: null,
    ...change,
  }
}
