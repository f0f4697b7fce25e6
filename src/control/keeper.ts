// Who brings a supervisor in the background back when it dies. A shell waits for the end of a pipe that the supervisor
// has the other end of, which the kernel tells at once and of no other process. It starts the next supervisor, and goes
// when that one has a keeper of its own; until then the next one is its child, so that it sees that one die as well.
//
// The keeper serves nobody, so its own death harms nothing: the supervisor starts another.

import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { EventLog } from '../telemetry/events.ts'
import type { InstanceDirectory } from './instance-directory.ts'

export interface KeeperOptions {
  /** What starts the next supervisor, all paths whole. */
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Set in one that a keeper has started. */
  readonly parent: KeeperParent | null
}

export interface KeeperParent {
  readonly pid: number
  /** Supervisors that died in a row, each within two seconds. */
  readonly deaths: number
}

/** `<pid> <deaths>`, from the keeper to the supervisor that it starts. */
export const KEEPER_VARIABLE = 'SUPERVISE_KEEPER'

/** One that dies later was running: it is brought back at once, however often. */
const WELL_AFTER_MS = 2_000
const AGAIN_MS = 1000

/**
 * For any POSIX shell. A `sleep` that knows whole seconds only waits for one. The exit codes are those after which
 * another try would end the same way: done, wrong usage, another supervisor has it, no permission, a wrong config.
 */
const SCRIPT = `
directory=$1 deaths=$2
shift 2
while read -r word; do
  case $word in
    end) exit 0 ;;
    well) deaths=0 ;;
  esac
done
exec </dev/null
while [ -d "$directory" ]; do
  : >"$directory/died"
  case $deaths in
    0 | 1 | 2) pause=0.1 ;; 3) pause=0.4 ;; 4) pause=0.8 ;; 5) pause=1.6 ;; 6) pause=3.2 ;; 7) pause=6.4 ;;
    *) pause=10 ;;
  esac
  sleep $pause 2>/dev/null || sleep 1
  [ -d "$directory" ] || exit 0
  deaths=$((deaths + 1))
  ${KEEPER_VARIABLE}="$$ $deaths" "$@" &
  wait $!
  case $? in 0 | 2 | 8 | 77 | 78) exit 0 ;; esac
done
`

export class Keeper {
  readonly #directory: InstanceDirectory
  readonly #options: KeeperOptions
  readonly #events: EventLog
  readonly #well: NodeJS.Timeout
  #again: NodeJS.Timeout | undefined
  #child: ChildProcess | null = null
  #deaths: number
  #isClosed = false
  #hasFailed = false

  constructor(directory: InstanceDirectory, options: KeeperOptions, events: EventLog) {
    this.#directory = directory
    this.#options = options
    this.#events = events
    this.#deaths = options.parent?.deaths ?? 0
    this.#well = setTimeout(() => this.#lived(), WELL_AFTER_MS)
    this.#well.unref()
    this.#start()
    this.#relieve()
  }

  /** Null while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** This supervisor ends by itself, and nobody is to bring it back. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#well)
    clearTimeout(this.#again)
    this.#child?.stdin?.end('end\n')
  }

  #start(): void {
    const { command, environment } = this.#options
    const words = ['-c', SCRIPT, 'supervise-keeper', this.#directory.path, String(this.#deaths), ...command]
    const stdio = ['pipe', 'inherit', 'inherit'] as const
    // Of its own process group, so that what ends this one does not end it as well.
    const child = spawn('sh', words, { env: { ...environment }, cwd: '/', stdio: [...stdio], detached: true })
    this.#child = child
    child.unref()
    // It may be gone before it is told that it may go.
    child.stdin?.on('error', () => {})
    child.once('error', (error) => this.#gone(error.message))
    child.once('exit', (code, signal) => this.#gone(signal ?? `exit code ${code}`))
  }

  #gone(why: string): void {
    this.#child = null
    if (this.#isClosed) return
    const text = `the keeper, which brings this supervisor back should it die, has ended (${why}); it is started again`
    if (!this.#hasFailed) this.#events.record({ type: 'keeperEnded', app: null, text, cause: 'supervisor' }, 'warn')
    this.#hasFailed = true
    this.#again = setTimeout(() => this.#start(), AGAIN_MS)
    this.#again.unref()
  }

  #lived(): void {
    this.#deaths = 0
    this.#hasFailed = false
    this.#child?.stdin?.write('well\n')
  }

  /** The keeper that has started this process is not needed any more. */
  #relieve(): void {
    const { parent } = this.#options
    if (parent !== null && parent.pid === process.ppid) process.kill(parent.pid, 'SIGTERM')
  }
}

/** What a keeper has told the supervisor that it started; null for one that somebody else started. */
export function readKeeperParent(text: string | undefined): KeeperParent | null {
  const match = /^(\d+) (\d+)$/.exec(text ?? '')
  return match === null ? null : { pid: Number(match[1]), deaths: Number(match[2]) }
}

/** For how long nobody was there: from the end of the one before, as its keeper saw it. Null when that is not known. */
export function takeAbsenceMs({ path }: InstanceDirectory): number | null {
  const mark = join(path, 'died')
  try {
    const { mtimeMs } = statSync(mark)
    rmSync(mark, { force: true })
    return Math.max(0, Math.round(Date.now() - mtimeMs))
  } catch {
    return null
  }
}
