// What the workers of one app write: every line goes to the log, the last lines of stderr are kept for the crash record.

import type { LogRecord } from '../control/messages.ts'
import { stderrTail } from '../telemetry/crash-records.ts'
import { RecordJoiner } from '../telemetry/record-joiner.ts'
import type { Ring } from '../telemetry/ring.ts'
import { createOutput, reopenOutput, type Rests, type WorkerOutput } from '../telemetry/worker-output.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** A grandchild may hold the output open; the last lines of the worker itself are read long before. */
const SETTLE_MS = 100

interface Kept {
  readonly output: WorkerOutput
  readonly tail: Ring<string>
  hasEnded: boolean
  /** Lines that are held back leave. */
  flush: () => void
  onEnd: () => void
}

export class WorkerOutputs {
  readonly #app: string
  readonly #log: (record: LogRecord) => void
  readonly #kept = new WeakMap<WorkerHandle, Kept>()

  constructor(app: string, log: (record: LogRecord) => void) {
    this.#app = app
    this.#log = log
  }

  make(directory: string, incarnation: string): Promise<WorkerOutput> {
    return createOutput(directory, incarnation)
  }

  /** Reads what this worker writes from now on. Returns what a person should know of its output. */
  watch(worker: WorkerHandle, output: WorkerOutput): string | null {
    const joiners = { stdout: this.#joiner(worker, 'stdout'), stderr: this.#joiner(worker, 'stderr') }
    const flush = () => {
      joiners.stdout.flush()
      joiners.stderr.flush()
    }
    const kept: Kept = { output, tail: stderrTail(), hasEnded: false, flush, onEnd: () => {} }
    this.#kept.set(worker, kept)
    // An earlier supervisor may have remembered it before there was such an option.
    const isJoined = worker.generation.config?.log?.multiline ?? true
    output.onLine = (stream, line, continues) => {
      if (stream === 'stderr') kept.tail.push(line)
      joiners[stream].push(line, continues)
      if (!isJoined) joiners[stream].flush()
    }
    output.onPause = (stream) => joiners[stream].pause()
    output.onEnd = () => {
      flush()
      kept.hasEnded = true
      kept.onEnd()
    }
    return output.notice
  }

  /** The output of a worker that an earlier supervisor forked; `rests` is what that had read and not taken. */
  reopen(worker: WorkerHandle, directory: string, rests: Rests = []): string | null {
    const output = reopenOutput(directory, worker.incarnation, worker.pid)
    const notice = this.watch(worker, output)
    output.begin()
    if (rests.length > 0) output.goOn(rests)
    return notice
  }

  /** Reads no more of what this worker writes until `goOn`, or for ever after `letGo`. */
  standStill(worker: WorkerHandle): Rests {
    const kept = this.#kept.get(worker)
    if (kept === undefined || kept.hasEnded) return []
    const rests = kept.output.standStill()
    kept.flush()
    return rests
  }

  goOn(worker: WorkerHandle, rests: Rests): void {
    this.#kept.get(worker)?.output.goOn(rests)
  }

  letGo(worker: WorkerHandle): void {
    this.#kept.get(worker)?.output.letGo()
  }

  /** Calls `done` when the last lines of a process that is gone have been read. */
  settle(worker: WorkerHandle, done: () => void): void {
    const kept = this.#kept.get(worker)
    if (kept === undefined || kept.hasEnded) return done()
    kept.onEnd = done
    kept.output.endSoon(SETTLE_MS)
  }

  tailOf(worker: WorkerHandle): readonly string[] {
    return this.#kept.get(worker)?.tail.recent() ?? []
  }

  #joiner({ id, pid, generation }: WorkerHandle, stream: LogRecord['stream']): RecordJoiner {
    const { group, release } = generation
    const origin = { app: this.#app, group, release: release.id, worker: id, pid, stream }
    return new RecordJoiner((line, time, continues) => {
      const record = { time, ...origin, line }
      this.#log(continues ? { ...record, continues } : record)
    })
  }
}
