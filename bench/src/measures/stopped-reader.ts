// 18. A worker writes a gigabyte of lines while nobody reads the supervisor's stdout: what that takes in memory, and that the
// worker is not held up.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../../test/support/free-port.ts'
import { rss } from '../../../test/support/processes.ts'
import { fixture } from '../../../test/support/releases.ts'
import type { Bench, Measure } from '../bench.ts'
import { LAUNCHER } from '../contenders/supervise.ts'
import { endProcess } from '../contenders/foreground.ts'
import { controlText } from '../control-text.ts'
import { noMoreThan, ownFigure, type Figure } from '../figure.ts'
import { firstAnswer } from '../wait.ts'

const MB = 1_000_000
const MOST_MB = 300
const LOOK_MS = 100

export const stoppedReader: Measure = {
  id: 18,
  title: 'A reader that has stopped',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const megabytes = bench.pace.quick ? 64 : 1_024
    const room = bench.place.room()
    const port = await freePort()
    const env = bench.place.environment(room, { SUPERVISE_RUNTIME_DIR: room, XDG_STATE_HOME: room })
    const flags = ['-n', 'app', '-i', '1', '--port', `${port}`, '--env', `WRITE_MB=${megabytes}`]
    // A pipe that is never read.
    const child = spawn(process.execPath, [LAUNCHER, 'start', fixture('writes-a-lot.js'), ...flags], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { pid } = child
    if (pid === undefined) throw new Error('Cannot start supervise')
    const app = bench.keep({ name: 'supervise', stop: () => endProcess(pid) })
    await firstAnswer(port, 60_000, () => (child.exitCode === null ? null : 'it ended'))
    const { most, tookMs } = await untilWritten(pid, join(room, 'app', 'control.sock'))
    await bench.stop(app)
    const mostMb = most / MB
    const what = `${megabytes} MB of lines to a reader that has stopped`
    return [
      ownFigure(`RSS of the supervisor at most, ${what}`, 'MB', mostMb, { target: noMoreThan(MOST_MB, mostMb, ' MB') }),
      ownFigure(`until the worker had written them, ${what}`, 's', tookMs / 1_000),
    ]
  },
}

async function untilWritten(pid: number, socketPath: string): Promise<{ most: number; tookMs: number }> {
  const began = performance.now()
  let most = rss(pid)
  for (;;) {
    // Its last line is on stderr, and `supervise logs` has it, though nothing leaves through stdout.
    const lines = await controlText(socketPath, '/v1/logs?stream=stderr&lines=5')
    most = Math.max(most, rss(pid))
    if (lines.includes('wrote ')) return { most, tookMs: performance.now() - began }
    await pause(LOOK_MS)
  }
}
