// `supervise stop --orphans`: ends the workers of supervisors that are gone. This process becomes their supervisor for as
// long as that takes, so that they are adopted, drained and ended as always.

import type { EndedWorker } from '../control/run.ts'
import { findInstances, wasEnding, type InstanceHandle } from '../control/find-instances.ts'
import { runtimeRoot } from '../control/instance-directory.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { wrongUsage } from '../errors/cli.ts'
import { noOrphans, orphansLeft } from '../errors/control.ts'
import type { Invocation } from './invocation.ts'
import { jobOfOwnUnit } from './own-unit.ts'
import { countOf } from './progress.ts'

interface OrphanOptions {
  readonly all?: boolean
  readonly now?: boolean
  readonly ifEnding?: boolean
  readonly timeout?: string
}

type Dead = Extract<InstanceHandle, { readonly alive: false }>

interface Ended {
  readonly instance: string
  readonly workers: readonly EndedWorker[]
}

const LEFTOVERS_MS = 1000

export async function stopOrphans(
  app: string | undefined,
  options: OrphanOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  checkWords(app, options)
  const { output, environment } = invocation
  const only = invocation.instance()
  const found = (await findInstances(environment)).filter(({ name }) => only === null || name === only)
  if (only !== null && !options.ifEnding) for (const handle of found) if (handle.alive) throw livesOn(handle)
  const dead = found.filter((handle): handle is Dead => !handle.alive && handle.workers > 0)
  const wanted = options.ifEnding ? dead.filter((handle) => isEnding(handle, environment)) : dead
  const ended: Ended[] = []
  for (const handle of wanted) {
    // oxlint-disable-next-line no-await-in-loop -- one supervisor at a time is enough for one process
    ended.push({ instance: handle.name, workers: await endInstance(handle, options.now === true, invocation) })
  }
  if (output.json) output.document({ instances: ended })
  else if (ended.length > 0) output.lines(ended.map(renderEnded))
  else if (!options.ifEnding) output.line('There are no orphans.')
  // What is left open of a supervisor must not keep a unit that has stopped.
  setTimeout(() => process.exit(EXIT.ok), LEFTOVERS_MS).unref()
  await mustBeGone(wanted, environment)
  return EXIT.ok
}

function checkWords(app: string | undefined, { all, timeout }: OrphanOptions): void {
  const word = app === undefined ? (all ? '--all' : timeout === undefined ? null : '--timeout') : `"${app}"`
  if (word === null) return
  throw wrongUsage(
    `stop orphans with ${word}: it ends all workers of an instance whose supervisor is gone, and waits for them`,
    'Leave that out; `--instance <name>` chooses one instance.',
  )
}

function livesOn(handle: Extract<InstanceHandle, { readonly alive: true }>) {
  return noOrphans(handle.name, handle.pong?.pid ?? null)
}

/**
 * A supervisor that was killed or that hung before it heard of a stop has not written down that it ends: the manager knows.
 * After a start that took too long nobody has asked for an end, and the next supervisor takes over what serves; so it does
 * in a restart, but where the one before had its time to drain. Where systemd does not say, a time-out leaves nothing behind.
 */
function isEnding({ directory }: Dead, environment: Invocation['environment']): boolean {
  if (wasEnding(directory)) return true
  const job = jobOfOwnUnit()
  return job === 'stop' || (environment['SERVICE_RESULT'] === 'timeout' && job !== 'none')
}

async function endInstance(
  { name, directory }: Dead,
  now: boolean,
  { environment }: Invocation,
): Promise<readonly EndedWorker[]> {
  const { runInstance } = await import('../control/run.ts')
  // Found in another root, such as that of the system's units.
  if (directory.root !== runtimeRoot(environment)) process.env['SUPERVISE_RUNTIME_DIR'] = directory.root
  let workers: readonly EndedWorker[] = []
  const end = { now, onEnd: (ended: readonly EndedWorker[]) => void (workers = ended) }
  const rest = { sources: [], detached: false, logFormat: 'pretty', admin: null, onProgress: () => {} } as const
  await runInstance({ instance: name, end, ...rest })
  return workers
}

async function mustBeGone(wanted: readonly Dead[], environment: Invocation['environment']): Promise<void> {
  if (wanted.length === 0) return
  const names = new Set(wanted.map(({ name }) => name))
  const left = (await findInstances(environment)).filter((one): one is Dead => names.has(one.name) && !one.alive)
  for (const { name, workers } of left) if (workers > 0) throw orphansLeft(name, workers)
}

function renderEnded({ instance, workers }: Ended): string {
  const drained = workers.filter((worker) => worker.drained).length
  const cut = workers.reduce((sum, { requestsCut }) => sum + requestsCut, 0)
  const how = drained === workers.length ? 'drained' : `${drained} drained, ${workers.length - drained} not`
  const lost = cut === 0 ? '' : `, ${countOf(cut, 'request')} cut`
  return `Instance ${instance}: ${countOf(workers.length, 'orphan')} ended (${how}${lost}).`
}
