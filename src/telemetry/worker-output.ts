// A worker's stdout and stderr: two FIFOs that outlive the supervisor, which reads lines from them. The worker's own
// descriptors are opened for reading and writing, so it never meets EPIPE (docs/decisions/004-worker-output.md).

import { execFile } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readlinkSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { LineSplitter } from './lines.ts'

export type OutputStream = 'stdout' | 'stderr'

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr']

/** What `spawn` takes for the places 1 and 2 of `stdio`. */
export type ChildStdio = readonly [number | 'pipe', number | 'pipe']

/** The part of a `ChildProcess` that is read where there are no FIFOs. */
export interface ChildStreams {
  readonly stdout: Readable | null
  readonly stderr: Readable | null
}

/** Makes the FIFOs of a worker that is about to be forked; where that fails, plain pipes, and `notice` says why. */
export async function createOutput(directory: string, incarnation: string): Promise<WorkerOutput> {
  const paths = outputPaths(directory, incarnation)
  try {
    removeFiles(paths)
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths])
    return WorkerOutput.onFifos(paths)
  } catch (error) {
    removeFiles(paths)
    const reason = error instanceof Error ? error.message.trim().split('\n').join(' ') : String(error)
    return WorkerOutput.onPipes(
      `a worker's output goes through plain pipes and does not outlive this supervisor: ${reason}`,
    )
  }
}

/**
 * Reads on where an earlier supervisor stopped. Of a worker that is gone by now it ends as soon as it is begun. FIFOs that
 * somebody has deleted are still to be had from the process that holds them.
 */
export function reopenOutput(directory: string, incarnation: string, pid: number): WorkerOutput {
  const paths = outputPaths(directory, incarnation)
  try {
    return WorkerOutput.onFifos(paths, existsSync(paths[0]) ? paths : heldBy(pid, paths))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return WorkerOutput.onPipes(`the output of a worker that another supervisor forked cannot be read: ${reason}`)
  }
}

/** Of stdout and stderr, in base64: a character may be cut. */
export type Rests = readonly string[]

type Paths = readonly [string, string]

/** Throws where the process has something else for its output by now. */
function heldBy(pid: number, paths: Paths): Paths {
  const held = (path: string, fd: number) => {
    const place = `/proc/${pid}/fd/${fd}`
    if (readlinkSync(place) !== `${path} (deleted)`) throw new Error(`${path} is gone`)
    return place
  }
  return [held(paths[0], 1), held(paths[1], 2)]
}

function outputPaths(directory: string, incarnation: string): Paths {
  return [join(directory, `${incarnation}.out`), join(directory, `${incarnation}.err`)]
}

function removeFiles(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true })
}

/** Without O_NONBLOCK the open itself would wait for a writer. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK

export class WorkerOutput {
  /** Set both before the next turn of the loop. `continues` marks a piece of a line that is too long to be held. */
  onLine: (stream: OutputStream, text: string, continues: boolean) => void = () => {}
  /** No more lines for now: all that was there has been read. */
  onPause: (stream: OutputStream) => void = () => {}
  /** Both streams are over, and every line was given. */
  onEnd: () => void = () => {}

  readonly kind: 'fifo' | 'pipe'
  /** What a person should know when there are no FIFOs. */
  readonly notice: string | null
  readonly childStdio: ChildStdio
  readonly #paths: Paths | null
  readonly #sources: Readable[] = []
  readonly #splitters: LineSplitter[] = []
  /** Open and not read, by the number of the stream. */
  readonly #kept = new Map<number, number>()
  readonly #readers: number[]
  #begun = false
  #open = STREAMS.length
  #giveUp: NodeJS.Timeout | undefined
  /** How long the wait for the end of the output takes, once it was begun. */
  #giveUpMs: number | null = null

  private constructor(paths: Paths | null, childStdio: ChildStdio, readers: number[], notice: string | null) {
    this.#paths = paths
    this.kind = paths === null ? 'pipe' : 'fifo'
    this.childStdio = childStdio
    this.#readers = readers
    this.notice = notice
  }

  /**
   * The order matters, also when no child is forked: on a FIFO that was opened without a writer, Linux reports no end.
   * `begin()` closes the first two. `places` is where they are opened.
   */
  static onFifos(paths: Paths, places = paths): WorkerOutput {
    const opened: number[] = []
    const open = (path: string, flags: string | number) => {
      const descriptor = openSync(path, flags)
      opened.push(descriptor)
      return descriptor
    }
    try {
      const childStdio: ChildStdio = [open(places[0], 'r+'), open(places[1], 'r+')]
      return new WorkerOutput(paths, childStdio, [open(places[0], READ), open(places[1], READ)], null)
    } catch (error) {
      opened.forEach((descriptor) => closeSync(descriptor))
      throw error
    }
  }

  static onPipes(notice: string): WorkerOutput {
    return new WorkerOutput(null, ['pipe', 'pipe'], [], notice)
  }

  /**
   * Call right after the fork, or, for an adopted worker, when the callbacks are set: reads from now on. The child's
   * descriptors close here: from then on the end of the last process that has them is the end of the output.
   */
  begin(child: ChildStreams | null = null): void {
    if (this.#begun) return
    this.#begun = true
    this.#closeChildDescriptors()
    const streams =
      this.#paths === null
        ? [child?.stdout, child?.stderr]
        : this.#readers.map((fd) => new Socket({ fd, readable: true, writable: false }))
    STREAMS.forEach((_, index) => this.#read(index, streams[index] ?? null))
  }

  /**
   * Reads no more, so that another process can go on. Returns what was read of a line whose end is still in the FIFO, by
   * stream; `goOn` gives it back. A paused stream would read on until its buffer is full, so both are closed. Throws where
   * one cannot be kept open: two would read then, and each would have a part of what is written.
   */
  standStill(): Rests {
    if (this.#paths === null) return []
    clearTimeout(this.#giveUp)
    for (const [index, source] of this.#sources.entries()) {
      if (source.destroyed) continue
      // What a worker writes that dies meanwhile stays as long as somebody has the FIFO open.
      this.#kept.set(index, this.#openAgain(index))
      source.removeAllListeners('close')
      source.destroy()
    }
    return this.#splitters.map((splitter) => splitter.takeRest().toString('base64'))
  }

  /** Reads on, beginning with `rests`: of this process, or of the one that read before. */
  goOn(rests: Rests): void {
    for (const [index, rest] of rests.entries()) this.#splitters[index]?.push(Buffer.from(rest, 'base64'))
    for (const [index, fd] of this.#kept) {
      this.#readers[index] = fd
      this.#follow(index, new Socket({ fd, readable: true, writable: false }))
    }
    this.#kept.clear()
    if (this.#giveUpMs !== null && this.#open > 0) this.#armGiveUp(this.#giveUpMs)
  }

  /** By what is open where somebody has deleted its path. */
  #openAgain(index: number): number {
    try {
      return openSync(this.#paths?.[index] ?? '', READ)
    } catch {
      return openSync(`/proc/self/fd/${this.#readers[index]}`, READ)
    }
  }

  /** Another process reads from now on, and the files are its own. */
  letGo(): void {
    for (const fd of this.#kept.values()) closeSync(fd)
    this.#kept.clear()
  }

  /**
   * The process is gone. Its output ends by itself, unless a child of its own still holds it: so many milliseconds
   * from now the wait is over, and whatever is in the pipe by then is still read.
   */
  endSoon(ms: number): void {
    if (this.#open === 0 || this.#giveUpMs !== null) return
    this.#giveUpMs = ms
    this.#armGiveUp(ms)
  }

  #armGiveUp(ms: number): void {
    clearTimeout(this.#giveUp)
    // The loop polls between timers and immediates, and one poll reads more than a FIFO can hold.
    this.#giveUp = setTimeout(() => setImmediate(() => this.#destroySources()), ms)
  }

  /** Stops reading, whatever is still in there, and removes the files: also the way back when the fork failed. */
  close(): void {
    if (this.#begun) return this.#destroySources()
    this.#begun = true
    this.#closeChildDescriptors()
    for (const descriptor of this.#readers) closeSync(descriptor)
    this.#finish()
  }

  #closeChildDescriptors(): void {
    for (const place of this.childStdio) if (place !== 'pipe') closeSync(place)
  }

  #read(index: number, source: Readable | null): void {
    const name = STREAMS[index] ?? 'stdout'
    this.#splitters[index] = new LineSplitter((text, continues) => this.onLine(name, text, continues))
    if (source === null) setImmediate(() => this.#ended(index))
    else this.#follow(index, source)
  }

  #follow(index: number, source: Readable): void {
    const name = STREAMS[index] ?? 'stdout'
    this.#sources[index] = source
    source.on('data', (chunk: Buffer) => {
      this.#splitters[index]?.push(chunk)
      this.onPause(name)
    })
    // What cannot be read any more is over: 'close' follows.
    source.on('error', () => {})
    source.once('close', () => this.#ended(index))
  }

  #ended(index: number): void {
    this.#splitters[index]?.end()
    this.#open -= 1
    if (this.#open === 0) this.#finish()
  }

  #destroySources(): void {
    for (const source of this.#sources) source?.destroy()
  }

  #finish(): void {
    clearTimeout(this.#giveUp)
    this.#open = 0
    if (this.#paths !== null) removeFiles(this.#paths)
    this.onEnd()
  }
}
