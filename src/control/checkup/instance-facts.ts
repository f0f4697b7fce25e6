// One instance: what is left of one whose supervisor is gone, and what a supervisor that answers says of itself.

import { existsSync, lstatSync } from 'node:fs'
import { messageOf } from '../../config/failure.ts'
import { SuperviseError } from '../../errors.ts'
import { startTimeOf } from '../../state/process-identity.ts'
import { connectInstance, type InstanceClient } from '../client.ts'
import { appsLeft, type InstanceHandle } from '../find-instances.ts'
import { socketPathLength, type InstanceDirectory } from '../instance-directory.ts'
import type { AppStatus, InstanceStatus } from '../messages.ts'
import { appFacts } from './app-facts.ts'
import type { AppFacts, InstanceFacts, SupervisorFacts } from './facts.ts'
import { groupFacts, isBinaryGone, limitsOf, openFilesOf } from './host-facts.ts'

export async function instanceFacts(handle: InstanceHandle): Promise<InstanceFacts> {
  const { directory } = handle
  if (!handle.alive) {
    const { names, problem } = appsLeft(directory)
    const orphans = { count: handle.workers, pids: handle.pids }
    return { ...standing(directory), state: 'dead', orphans, appsLeft: names, stateProblem: problem }
  }
  const asked = handle.pong === null ? SILENT : await ask(directory)
  return { ...standing(directory), ...asked }
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
    answerProblem: null,
  }
}

type Asked = Pick<InstanceFacts, 'state'> & Partial<InstanceFacts>
type AnswerProblem = NonNullable<InstanceFacts['answerProblem']>

const SILENT: Asked = { state: 'silent' }
/** It ended, or stopped answering, since it was found. */
const SILENCE = new Set(['SUPERVISOR_SILENT', 'CONNECTION_LOST', 'NOT_RUNNING'])

async function ask(directory: InstanceDirectory): Promise<Asked> {
  const client = connectInstance(directory)
  try {
    const status = await client.get<InstanceStatus>('/v1/status')
    const looked = await Promise.all(status.apps.map((app) => lookAt(app, client)))
    const apps = looked.flatMap((one) => (one !== null && 'stopMs' in one ? [one] : []))
    const answerProblem = looked.find((one) => one !== null && 'fix' in one) ?? null
    return { state: 'alive', supervisor: supervisorFacts(status), apps, answerProblem }
  } catch (error) {
    return isSilence(error) ? SILENT : { state: 'alive', answerProblem: problemOf(error) }
  }
}

/** Null for one that was deleted meanwhile. What is amiss with the answer about one says nothing of the others. */
async function lookAt(app: AppStatus, client: InstanceClient): Promise<AppFacts | AnswerProblem | null> {
  try {
    return await appFacts(app, client)
  } catch (error) {
    if (isSilence(error)) throw error
    return error instanceof SuperviseError && error.code === 'UNKNOWN_APP' ? null : problemOf(error)
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof SuperviseError && SILENCE.has(error.code)
}

function problemOf(error: unknown): AnswerProblem {
  if (error instanceof SuperviseError) return { says: error.message, fix: error.fix }
  const fix = 'Use the `supervise` command of the version that runs the instance.'
  return { says: `its supervisor's answer is not what this version expects (${messageOf(error)})`, fix }
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
    groups: groupFacts('/', pid),
  }
}
