// Where one run of the benchmarks lives: a temporary directory, the environment of everything that is started, and the
// promise that neither directory nor process is left.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endAll, processesOf } from '../../test/support/processes.ts'

/** What the shell or npm set for somebody else. */
const NOT_INHERITED = /^(SUPERVISE_|PM2_|npm_|NODE_|GRACEFUL$|PORT$)/

export class Place {
  /** Short, since a Unix socket's path may have 107 bytes. */
  readonly directory = mkdtempSync(join(tmpdir(), 'svb-'))
  #rooms = 0

  /** A fresh directory for one contender, so that nothing of an earlier start is there. */
  room(): string {
    const room = join(this.directory, String(++this.#rooms))
    mkdirSync(room, { mode: 0o700 })
    return room
  }

  /** By TMPDIR every process that was started here can be told from all others. */
  environment(room: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const inherited = Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || NOT_INHERITED.test(name) ? [] : [[name, value]],
    )
    return { ...Object.fromEntries(inherited), HOME: room, TMPDIR: room, NO_COLOR: '1', ...more }
  }

  async remove(): Promise<void> {
    for (let attempt = 0; attempt < 5 && processesOf(this.directory).length > 0; attempt++) {
      await endAll(processesOf(this.directory))
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}
