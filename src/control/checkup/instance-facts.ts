// One instance: what is left of one whose supervisor is gone, and what a supervisor that answers says of itself.

import { existsSync, lstatSync } from 'node:fs'
import { startTimeOf } from '../../state/process-identity.ts'
import { connectInstance } from '../client.ts'
import { appsLeft, type InstanceHandle } from '../find-instances.ts'
import { socketPathLength, type InstanceDirectory } from '../instance-directory.ts'
import type { InstanceStatus } from '../messages.ts'
import { appFacts } from './app-facts.ts'
import type { AppFacts, InstanceFacts, SupervisorFacts } from './facts.ts'
import { isBinaryGone, limitsOf, openFilesOf } from './host-facts.ts'

export async function instanceFacts(handle: InstanceHandle): Promise<InstanceFacts> {
  const { directory } = handle
  if (!handle.alive) {
    const { names, problem } = appsLeft(directory)
    const orphans = { count: handle.workers, pids: handle.pids }
    return { ...standing(directory), state: 'dead', orphans, appsLeft: names, stateProblem: problem }
  }
  const asked = handle.pong === null ? null : await ask(directory)
  return asked === null ? { ...standing(directory), state: 'silent' } : { ...standing(directory), ...asked }
}

/** What is seen from outside, and nothing else. */
function standing(directory: InstanceDirectory): Omit<InstanceFacts, 'state'> {
  const { mode, uid } = lstatSync(directory.path, { throwIfNoEntry: false }) ?? { mode: 0o700, uid: 0 }
  const { bytes, limit } = socketPathLength(directory)
  return {
    name: directory.name,
    path: directory.path,
    mode: mode & 0o7777,
    owner: uid,
    socketPathBytes: bytes,
    socketPathLimit: limit,
    hasControlSocket: existsSync(directory.controlSocket),
    orphans: { count: 0, pids: [] },
    appsLeft: [],
    stateProblem: null,
    supervisor: null,
    apps: [],
  }
}

interface Asked {
  readonly state: 'alive'
  readonly supervisor: SupervisorFacts
  readonly apps: readonly AppFacts[]
}

/** Null when it ended, or stopped answering, since it was found. */
async function ask(directory: InstanceDirectory): Promise<Asked | null> {
  const client = connectInstance(directory)
  try {
    const status = await client.get<InstanceStatus>('/v1/status')
    const apps = await Promise.all(status.apps.map((app) => appFacts(app, client)))
    return { state: 'alive', supervisor: supervisorFacts(status), apps }
  } catch {
    return null
  }
}

function supervisorFacts(status: InstanceStatus): SupervisorFacts {
  const { pid, version, nodeVersion, startedAt, detached } = status
  // One of an older version does not say it.
  const keptBy = (status as Partial<InstanceStatus>).keptBy ?? { who: 'nobody', pid: null }
  return {
    pid,
    version,
    nodeVersion,
    startedAt: Date.parse(startedAt),
    detached,
    keptBy,
    isKeeperAlive: keptBy.pid !== null && startTimeOf(keptBy.pid) !== null,
    isNodeGone: isBinaryGone(pid),
    limits: limitsOf(pid),
    openFiles: openFilesOf(pid),
  }
}
