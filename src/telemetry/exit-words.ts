// Why a process ended, in one sentence. Pure: what the supervisor saw in, the crash record's words out.

import type { CrashRecord } from '../control/messages.ts'
import { OUT_OF_MEMORY } from './advice.ts'
import { headline } from './headline.ts'

/** Why the supervisor itself sent SIGKILL. */
export type KilledBecause =
  /** The event loop did not answer; `doing` is what the process did meanwhile, as diagnosis.ts has it. */
  | { readonly by: 'hang'; readonly silentMs: number; readonly doing: string | null }
  /** `waitedFor` in words: `a listen()`, `process.send('ready')`, `/readyz`. */
  | { readonly by: 'readyTimeout'; readonly afterMs: number; readonly waitedFor: string }
  | { readonly by: 'liveness'; readonly path: string; readonly failures: number }
  /** It was to drain and never answered. */
  | { readonly by: 'drainTimeout'; readonly afterMs: number }
  /** It did not leave after the stop signal. */
  | { readonly by: 'killTimeout'; readonly afterMs: number; readonly signal: string }
  /** It did not say in time that it had taken a flip over. */
  | { readonly by: 'flip'; readonly afterMs: number }
  /** Somebody wanted it gone at once. */
  | { readonly by: 'request' }
  | { readonly by: 'rehearsal' }

export interface Ending {
  readonly code: number | null
  readonly signal: string | null
  /** It had been ready once. */
  readonly wasReady: boolean
  readonly killed: KilledBecause | null
  readonly stderr: readonly string[]
  /** Stack of the exception that nobody caught, when the agent told. */
  readonly uncaught: string | null
  /** Forked by an earlier supervisor: the kernel tells the exit code to that one alone. */
  readonly adopted: boolean
  /** A program that is not Node: Node's exit codes mean nothing in it. */
  readonly isCommand?: boolean
  /** Nobody was there when it ended. */
  readonly absent?: boolean
  /** The kernel's out-of-memory killer was at work at that time; null when that cannot be known. */
  readonly kernelKilled: boolean | null
  /** The fault that was rehearsed in it; null for none. */
  readonly rehearsed?: string | null
  /** Paths below it are shown relative to it. */
  readonly directory: string | null
}

export interface ExitWords {
  readonly reason: CrashRecord['reason']
  readonly words: string
}

/** Whoever reads of an end that was rehearsed must not look for a mistake of the app's. */
export function explainExit(ending: Ending): ExitWords {
  const { reason, words } = explain(ending)
  const { rehearsed = null } = ending
  return { reason, words: rehearsed === null ? words : `${words}; "${rehearsed}" was rehearsed (\`supervise chaos\`)` }
}

function explain(ending: Ending): ExitWords {
  const { killed } = ending
  if (killed !== null) return { reason: KILL_REASONS[killed.by], words: killWords(killed) }
  if (ranOutOfMemory(ending)) {
    return {
      reason: 'out-of-memory',
      words: `ran out of memory: the JavaScript heap reached its limit${since(ending)}`,
    }
  }
  if (ending.signal === 'SIGKILL' && ending.kernelKilled === true) {
    return { reason: 'out-of-memory', words: "was killed by the kernel's out-of-memory killer (SIGKILL)" }
  }
  const words = `${howItEnded(ending)}${since(ending)}`
  if (!ending.wasReady) return { reason: 'start-failure', words: `${words}${what(ending)}` }
  const reason = ending.signal === null && !isAbort(ending.code) ? 'exit' : 'signal'
  return { reason, words: `${words}${what(ending)}` }
}

const KILL_REASONS: Readonly<Record<KilledBecause['by'], CrashRecord['reason']>> = {
  hang: 'hang',
  readyTimeout: 'start-failure',
  liveness: 'liveness',
  drainTimeout: 'hang',
  killTimeout: 'signal',
  flip: 'hang',
  request: 'signal',
  rehearsal: 'signal',
}

function killWords(killed: KilledBecause): string {
  switch (killed.by) {
    case 'hang': {
      const doing = killed.doing === null ? '' : `; it was ${killed.doing}`
      return `was killed because its event loop had not answered for ${seconds(killed.silentMs)}${doing}`
    }
    case 'readyTimeout':
      return `was killed because it was not ready after ${seconds(killed.afterMs)}, which waits for ${killed.waitedFor}`
    case 'liveness': {
      const times = killed.failures === 1 ? 'once' : `${killed.failures} times in a row`
      return `was killed because its liveness probe ${killed.path} failed ${times}`
    }
    case 'drainTimeout':
      return `was killed because it had not answered for the ${seconds(killed.afterMs)} that it had to drain`
    case 'killTimeout':
      return `was killed because it was still there ${seconds(killed.afterMs)} after ${killed.signal}`
    case 'flip':
      return `was killed because it had not answered a flip for ${seconds(killed.afterMs)}`
    case 'request':
      return 'was killed at once, as asked'
    case 'rehearsal':
      return 'was killed at once (SIGKILL)'
    default:
      return killed satisfies never
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`
}

function ranOutOfMemory({ code, signal, stderr }: Ending): boolean {
  const isFatal = signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGILL' || isAbort(code) || code === 5
  return isFatal && stderr.some((line) => OUT_OF_MEMORY.test(line))
}

/** As a shell between us and Node reports SIGABRT. */
function isAbort(code: number | null): boolean {
  return code === 134
}

function since({ wasReady, code, signal }: Ending): string {
  if (wasReady) return ''
  // What nobody saw takes a clause of its own to say.
  return signal === null && code === null ? ', before it was ready' : ' before it was ready'
}

/** What the process itself said of it; a signal from outside has nothing to do with what was printed last. */
function what(ending: Ending): string {
  const said = ending.uncaught === null ? ending.stderr : ending.uncaught.split('\n')
  const isOwnEnd = ending.signal === null ? ending.code !== 0 && ending.code !== 13 : ending.signal === 'SIGABRT'
  const line = isOwnEnd ? headline(said, ending.directory) : null
  return line === null ? '' : `: ${line}`
}

function howItEnded(ending: Ending): string {
  const { code, signal, adopted, absent, stderr, uncaught, kernelKilled, isCommand = false } = ending
  if (signal !== null) return signalWords(signal, kernelKilled)
  if (code === null && absent === true) return 'ended while no supervisor was there, so that nobody saw how'
  if (code === null) {
    return adopted
      ? 'ended with an exit code that nobody saw, because an earlier supervisor had forked it'
      : 'ended in a way that nobody saw'
  }
  if (code === 1 && uncaught !== null) return 'exited with code 1 after an error that nobody caught'
  if (code === 13 && !isCommand)
    return `exited with code 13: its top-level await${awaitPlace(stderr)} can never be settled`
  return `exited with code ${code}${codeWords(code, isCommand)}`
}

function awaitPlace(stderr: readonly string[]): string {
  const warning = stderr.findLast((line) => line.includes('unsettled top-level await at '))
  const place = warning?.match(/ at (?:file:\/\/)?\S*?([^/\s]+:\d+)$/)?.[1]
  return place === undefined ? '' : ` at ${place}`
}

/** What Node means by a code; an app may mean something else by the same one. */
const NODE_CODES: Readonly<Record<number, string>> = {
  3: 'Node could not parse its own JavaScript',
  4: 'Node could not evaluate its own JavaScript',
  5: 'a fatal error in V8',
  6: 'the handler for uncaught errors was no function',
  7: 'the handler for uncaught errors threw an error itself',
  9: 'Node refused its arguments',
  10: "Node's own start-up code failed",
  12: 'the address for the debugger was refused',
  14: 'a snapshot could not be made',
}

/** What shells mean by one. */
const SHELL_CODES: Readonly<Record<number, string>> = {
  126: 'the command could not be executed',
  127: 'the command was not found',
}

function codeWords(code: number, isCommand: boolean): string {
  if (code === 0) return ' without being asked to'
  const words = SHELL_CODES[code] ?? (isCommand ? undefined : NODE_CODES[code])
  if (words !== undefined) return ` (unless the app chose it: ${words})`
  const name = code > 128 ? SIGNAL_NUMBERS[code - 128] : undefined
  return name === undefined ? '' : ` (128 + ${code - 128}: as a shell reports ${name})`
}

const SIGNAL_NUMBERS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
}

const SIGNALS: Readonly<Record<string, string>> = {
  SIGSEGV: 'crashed with SIGSEGV (native code touched memory that is not its own)',
  SIGBUS: 'crashed with SIGBUS (native code touched memory that is not there)',
  SIGILL: 'crashed with SIGILL (an illegal instruction, or V8 stopping itself)',
  SIGTRAP: 'crashed with SIGTRAP (V8 stopping itself)',
  SIGFPE: 'crashed with SIGFPE (an arithmetic error in native code)',
  SIGABRT: 'aborted with SIGABRT (process.abort() or a failed check in native code)',
  SIGSYS: 'was ended by SIGSYS (a system call that its sandbox forbids)',
  SIGXCPU: 'was ended by SIGXCPU (its limit of CPU time)',
  SIGXFSZ: 'was ended by SIGXFSZ (its limit of file size)',
  SIGINT: 'was ended by SIGINT, as Ctrl-C sends it, and not by the supervisor',
}

function signalWords(signal: string, kernelKilled: boolean | null): string {
  if (signal !== 'SIGKILL') return SIGNALS[signal] ?? `was ended by ${signal}, which the supervisor did not send`
  if (kernelKilled === false) return 'was killed by somebody else with SIGKILL'
  return "was killed with SIGKILL, which the supervisor did not send: somebody's kill -9, or the kernel's out-of-memory killer"
}
