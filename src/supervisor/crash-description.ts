// Puts together what is known of a process that ended badly: the crash record, and what a person can do.

import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { VitalsPoint } from '../control/messages.ts'
import { adviceFor } from '../telemetry/advice.ts'
import { crashRecord } from '../telemetry/crash-records.ts'
import type { KilledBecause } from '../telemetry/exit-words.ts'
import type { Sample } from '../telemetry/samples.ts'
import type { CrashDescription } from './instance.ts'
import { adviceForOwnPort } from './own-port.ts'
import { FLIP_DEADLINE_MS } from './routing.ts'
import type { WorkerExit } from './worker-exit.ts'
import type { WorkerHandle } from './worker-handle.ts'

export interface CrashContext {
  readonly app: string
  readonly worker: WorkerHandle
  readonly exit: WorkerExit
  readonly stderr: readonly string[]
  readonly sample: Sample | null
  readonly curve: readonly VitalsPoint[]
  readonly reportPath: string | null
  readonly heapSnapshots: readonly string[]
  /** What it waited for when it was not ready in time. */
  readonly waitedFor: string | null
  /** What it was doing when it hung. */
  readonly doing: string | null
  /** The kernel's out-of-memory killer was at work at that time; null when that cannot be known. */
  readonly kernelKilled: boolean | null
}

/** A description whose record has no id yet. */
export interface CrashDraftDescription extends Omit<CrashDescription, 'record'> {
  readonly record: Omit<CrashDescription['record'], 'id'>
}

export function describeCrash(context: CrashContext): CrashDraftDescription {
  const { worker, exit, stderr } = context
  const { generation } = worker
  const record = crashRecord({
    at: new Date(),
    app: context.app,
    group: generation.group,
    release: generation.release.id,
    worker: worker.id,
    pid: worker.pid,
    code: exit.code,
    signal: exit.signal,
    uptimeMs: exit.uptimeMs,
    wasReady: exit.wasReady,
    killed: killedBecause(context),
    stderr,
    uncaught: worker.uncaught?.stack ?? null,
    adopted: !exit.seen,
    isCommand: generation.config.isCommand,
    kernelKilled: context.kernelKilled,
    rehearsed: worker.rehearsed,
    vitals: worker.vitals,
    sample: context.sample,
    curve: context.curve,
    reportPath: context.reportPath,
    heapSnapshots: context.heapSnapshots,
    mappedStack: worker.uncaught?.mapped ?? null,
    requests: worker.uncaught?.requests ?? [],
    directory: generation.config.cwd,
    directories: [generation.config.cwd, generation.release.path],
  })
  const problem = listenProblemOf(context) ?? missingScriptOf(context)
  if (problem !== null) {
    const ended = exit.code === null ? 'ended' : `exited with code ${exit.code}`
    const words = `${ended} before it was ready: ${uncapitalized(problem.words)}`
    return { record: { ...record, words }, advice: problem.fix, saysAll: true }
  }
  const advice =
    adviceForSecond(context) ?? adviceFor(stderr, generation.config.script, process.version) ?? adviceForStart(context)
  return { record, advice, saysAll: false }
}

function killedBecause({ worker, exit, waitedFor, doing }: CrashContext): KilledBecause | null {
  const { config } = worker.generation
  switch (exit.killReason) {
    case null:
      return null
    case 'not-ready':
      return { by: 'readyTimeout', afterMs: config.readyTimeoutMs, waitedFor: waitedFor ?? 'readiness' }
    case 'hang':
      return { by: 'hang', silentMs: config.hangTimeoutMs, doing }
    case 'liveness':
      return { by: 'liveness', path: config.liveness?.path ?? '', failures: config.liveness?.failures ?? 0 }
    case 'drain-deadline':
      return { by: 'drainTimeout', afterMs: worker.policy.drainTimeoutMs }
    case 'flip-deadline':
      return { by: 'flip', afterMs: FLIP_DEADLINE_MS }
    case 'rehearsal':
      return { by: 'rehearsal' }
    case 'stop-deadline':
      return { by: 'killTimeout', afterMs: worker.policy.killTimeoutMs, signal: config.stopSignal }
  }
}

/** The app knows an error code alone; here it is known who has the port. */
function listenProblemOf({ worker, exit, stderr }: CrashContext): WorkerHandle['listenProblem'] {
  if (exit.wasReady || exit.killReason !== null) return null
  return stderr.some((line) => /\bE(ADDRINUSE|ADDRNOTAVAIL|ACCES)\b/.test(line)) ? worker.listenProblem : null
}

/** Node's own words for it could mean any module. */
function missingScriptOf({ worker, exit }: CrashContext): WorkerHandle['listenProblem'] {
  const { config, release } = worker.generation
  if (exit.wasReady || exit.killReason !== null || existsSync(config.script)) return null
  return {
    words: `its ${config.isCommand ? 'program' : 'script'} "${config.script}" is no longer there`,
    fix: `Bring the directory of ${release.id} back, or deploy a release that is there.`,
  }
}

function uncapitalized(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

function adviceForSecond({ worker, exit, stderr }: CrashContext): string | null {
  return exit.wasReady ? null : adviceForOwnPort(worker.generation.config, stderr)
}

/** What a person who sees an app fail to start most often needs to know. */
function adviceForStart({ worker, exit }: CrashContext): string | null {
  const { config } = worker.generation
  const script = basename(config.script)
  if (exit.wasReady) return null
  if (exit.killReason === 'not-ready' && config.ready.by === 'listen') {
    return `If ${script} never listens, say how it gets ready: \`--ready message\` with process.send('ready'), or \`--ready 2s\`. If it only needs longer, raise \`--ready-timeout\`.`
  }
  if (exit.killReason === 'not-ready') return 'If it only needs longer, raise `--ready-timeout`.'
  if (exit.code === 0) {
    return `${script} ended by itself before it was ready. If that is its nature, say \`--restart on-failure\` and \`--ready 0s\`; a server must keep listening.`
  }
  return null
}
