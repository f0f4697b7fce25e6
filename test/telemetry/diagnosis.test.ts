import { spawn, type ChildProcess } from 'node:child_process'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { diagnose } from '../../src/telemetry/diagnosis.ts'

let child: ChildProcess | undefined

afterEach(() => {
  child?.kill('SIGKILL')
})

const HANGS: readonly (readonly [string, string, RegExp])[] = [
  ['a stopped process', `process.kill(process.pid, 'SIGSTOP')`, /^stopped \(SIGSTOP\)$/],
  ['a loop without end', 'for (;;);', /^busy \(\d+ % of a CPU\)$/],
  [
    'a lock',
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    /^waiting in (a lock|the kernel|something)/,
  ],
  [
    'a pipe that nobody reads',
    `for (;;) require('fs').writeSync(1, 'x'.repeat(999))`,
    /^waiting in (write to its stdout|the kernel)/,
  ],
  ['execSync', `require('child_process').execSync('sleep 30')`, /^waiting in (an event loop|the kernel)/],
]

describe('diagnose()', () => {
  it.each(HANGS)('recognizes %s', async (_name, code, words) => {
    child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
    const { pid } = child
    await vi.waitFor(async () => expect(await diagnose(pid!)).toMatch(words), { timeout: 5000 })
  })

  it('is null for a process that is gone', async () => {
    child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    const { pid } = child
    await new Promise((resolve) => child?.once('exit', resolve))
    expect(await diagnose(pid!)).toBe(null)
  })
})
