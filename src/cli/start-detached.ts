// `supervise start --detach`: finds the supervisor in the background or spawns one, hands it the apps, and ends it again
// when it was spawned for apps that did not start.

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, fstatSync, readSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ConfigSource } from '../config/app-config.ts'
import { checkSources } from '../control/check-sources.ts'
import { appsLeft, findInstances } from '../control/find-instances.ts'
import { instanceDirectory, openInstanceDirectory, type InstanceDirectory } from '../control/instance-directory.ts'
import { logFileOf, openLogFile } from '../control/log-file.ts'
import { ping } from '../control/ping.ts'
import { refuseSharedState } from '../control/state-owner.ts'
import { detachedStartFailed, adminNeedsStart, stopTimingNeedsStart } from '../errors/cli.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { supervisorSilent } from '../errors/control.ts'
import type { ActOptions } from './act.ts'
import { adminVariables, readAdmin, type AdminFlags } from './admin-flags.ts'
import { connect, type Instance } from './instances.ts'
import type { Environment, Invocation } from './invocation.ts'
import { operate, timeoutMs } from './operation.ts'
import { readStopTiming, stopVariables, type StopFlags } from './stop-flags.ts'

const DEADLINE_MS = 10_000
const ASK_AGAIN_MS = 50
const SHOWN_LINES = 15
const SHOWN_BYTES = 16 * 1024

export interface DetachedOptions extends ActOptions, AdminFlags, StopFlags {
  readonly fresh?: boolean
}

export async function startDetached(
  name: string,
  sources: readonly ConfigSource[],
  options: DetachedOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output, directory } = invocation
  const admin = adminVariables(options, directory)
  const stop = stopVariables(options)
  const environment = { ...invocation.environment, ...admin, ...stop }
  // Refused before anything is spawned.
  readAdmin(environment, directory)
  readStopTiming(environment)
  if (options.timeout !== undefined) timeoutMs(options.timeout)
  const running = (await findInstances(environment)).find((handle) => handle.name === name && handle.alive)
  if (running?.alive && running.pong === null) throw supervisorSilent(name, 500)
  if (running !== undefined && Object.keys(admin).length > 0) throw adminNeedsStart(name)
  if (running !== undefined && Object.keys(stop).length > 0) throw stopTimingNeedsStart(name)
  if (running === undefined) refuseSharedState(name, environment)
  // What a dead supervisor left is taken back, whatever is wrong with what was typed.
  if (running === undefined && appsLeft(instanceDirectory(name, environment)).names.length === 0)
    await checkSources({ instance: name, sources, fresh: options.fresh === true }, environment)
  const spawned = running === undefined ? await spawnSupervisor(name, environment) : null
  if (spawned !== null) output.talk(`Started supervisor ${name} (pid ${spawned.pid}), log in ${spawned.log}`)

  const instance = connect(name, environment)
  let exitCode: ExitCode = EXIT.failed
  try {
    exitCode = await addApps(instance, sources, options, invocation)
  } finally {
    // Whoever interrupts the command or stops waiting has let go of the start, not refused it.
    const letGo = exitCode === EXIT.interrupted || exitCode === EXIT.timedOut
    if (spawned !== null && exitCode !== EXIT.ok && !letGo) await endSpawned(instance, invocation)
  }
  if (exitCode === EXIT.ok && !output.json && spawned !== null)
    output.talk(`See it with \`supervise status\` and \`supervise logs -f\`; end it with \`supervise stop --all\`.`)
  return exitCode
}

function addApps(
  { client }: Instance,
  sources: readonly ConfigSource[],
  options: DetachedOptions,
  invocation: Invocation,
) {
  const operation = {
    client,
    method: 'POST' as const,
    path: '/v1/apps',
    body: { sources, fresh: options.fresh === true },
    title: 'start',
    again: invocation.typed,
  }
  return operate([operation], options, invocation)
}

/** Nobody asked for a supervisor without an app. One of several apps that did start keeps it. */
async function endSpawned({ client, name }: Instance, { output }: Invocation): Promise<void> {
  const status = await client
    .get<{ readonly apps: readonly { readonly state: string }[] }>('/v1/status')
    .catch(() => null)
  if (status === null || status.apps.some(({ state }) => state !== 'failed' && state !== 'stopped')) return
  await client.send('POST', '/v1/stop', { now: true }).catch(() => {})
  output.talk(`Ended supervisor ${name} again: it had no other app.`)
}

// ---- spawning ------------------------------------------------------------------------------------

interface Spawned {
  readonly pid: number
  readonly log: string
}

/** Null when another supervisor of the instance was faster, and answers. */
async function spawnSupervisor(name: string, environment: Environment): Promise<Spawned | null> {
  // Refuses a directory that cannot be used before anything is left behind.
  const directory = openInstanceDirectory(name, environment)
  const log = logFileOf(name, environment)
  const file = openLogFile(name, environment)
  const before = fstatSync(file).size
  try {
    const child = spawn(process.execPath, [process.argv[1] ?? '', 'serve-detached', name], {
      detached: true,
      stdio: ['ignore', file, file],
      env: fromEverywhere(environment),
      // A supervisor that stayed here would keep this file system from being unmounted.
      cwd: '/',
    })
    const pid = await whoAnswers(child, directory, () =>
      detachedStartFailed(name, whyItEnded(child), log, lastLines(file, before)),
    )
    child.unref()
    return pid === child.pid ? { pid, log } : null
  } finally {
    closeSync(file)
  }
}

/** Means the same in another working directory: paths that begin where the command was typed are made whole. */
function fromEverywhere(environment: Environment): Record<string, string | undefined> {
  const relative = ['SUPERVISE_RUNTIME_DIR', 'RUNTIME_DIRECTORY', 'TMPDIR'].flatMap((name) => {
    const path = environment[name]
    return path === undefined || path === '' || isAbsolute(path) ? [] : [[name, resolve(path)]]
  })
  return { ...environment, ...Object.fromEntries(relative) }
}

async function whoAnswers(child: ChildProcess, directory: InstanceDirectory, failure: () => Error): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS
  // Without a listener, a process that cannot be spawned would end this one.
  child.once('error', () => {})
  const found = await askUntil(deadline, async () => {
    // Two commands at once spawn two, and one of them ends: what it was meant for is there all the same.
    const isOvertaken = child.exitCode === EXIT.busy
    if (hasEnded(child) && !isOvertaken) return 'ended'
    const answer = await ping(directory.controlSocket, ASK_AGAIN_MS * 4)
    return typeof answer === 'object' && (isOvertaken || answer.pid === child.pid) ? answer.pid : null
  })
  if (typeof found === 'number') return found
  const error = failure()
  if (!hasEnded(child)) child.kill('SIGKILL')
  throw error
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

/** Null when nothing was found until the deadline. */
async function askUntil<Found>(deadline: number, ask: () => Promise<Found | null>): Promise<Found | null> {
  const found = await ask()
  if (found !== null || performance.now() > deadline) return found
  await setTimeout(ASK_AGAIN_MS)
  return askUntil(deadline, ask)
}

function whyItEnded({ exitCode, signalCode }: ChildProcess): string {
  if (signalCode !== null) return `it was ended by ${signalCode}`
  return exitCode === null ? `it did not answer within ${DEADLINE_MS} ms` : `it exited with code ${exitCode}`
}

function lastLines(file: number, from: number): readonly string[] {
  const start = Math.max(from, fstatSync(file).size - SHOWN_BYTES)
  const buffer = Buffer.alloc(SHOWN_BYTES)
  const length = readSync(file, buffer, 0, SHOWN_BYTES, start)
  return buffer.toString('utf8', 0, length).split('\n').filter(Boolean).slice(-SHOWN_LINES)
}
