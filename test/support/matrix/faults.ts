// The test program's end of src/fault-points.ts: arms a point, waits until a supervisor is held there, lets it go on.

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { FaultPoint, Held } from '../../../src/fault-points.ts'
import { until } from '../until.ts'

export class Faults {
  readonly #directory: string

  /** Makes its files in a directory that is there. */
  constructor(home: string) {
    this.#directory = join(home, 'faults')
    mkdirSync(this.#directory)
    execFileSync('mkfifo', [this.#path('go')])
  }

  /** For the environment of a supervisor. */
  get env(): Record<string, string> {
    return { SUPERVISE_TEST_FAULTS: this.#directory }
  }

  /** Whoever reaches the point for the so many-th time from now on is held there. */
  arm(point: FaultPoint, times = 1): void {
    rmSync(this.#path('held'), { force: true })
    writeFileSync(this.#path('armed.draft'), `${point} ${times}`)
    renameSync(this.#path('armed.draft'), this.#path('armed'))
  }

  disarm(): void {
    rmSync(this.#path('armed'), { force: true })
  }

  /** Null while nobody is. */
  get held(): Held | null {
    const file = this.#path('held')
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Held) : null
  }

  untilHeld(deadlineMs = 20_000): Promise<Held> {
    return until(() => this.held, deadlineMs, 'a supervisor is held at the point')
  }

  /** One that was killed meanwhile does not wait any more. */
  async letGo(): Promise<void> {
    const isOpen = (): boolean => {
      try {
        closeSync(openSync(this.#path('go'), constants.O_WRONLY | constants.O_NONBLOCK))
        return true
      } catch {
        return false
      }
    }
    await until(isOpen, 2_000, 'it waits at the FIFO')
  }

  /** The points that were reached since the last look, in their order. */
  takeTrace(): readonly string[] {
    const file = this.#path('trace')
    if (!existsSync(file)) return []
    const points = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    rmSync(file)
    return points
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }
}
