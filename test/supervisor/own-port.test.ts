// A command that opens its port by itself, of which a second process is asked for.

import { spawn } from 'node:child_process'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { App } from '../../src/supervisor/app.ts'
import { adviceForOwnPort, refuseSecondOfOwnPort } from '../../src/supervisor/own-port.ts'

const LISTENS = "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"

/** In a session of its own, below a shell, as a worker of ours may be; answers its port. */
async function listensBelowShell(): Promise<{ readonly pid: number; readonly port: number }> {
  const script = `"${process.execPath}" -e "${LISTENS}"; exit`
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = child.pid ?? 0
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'))
  const port = await new Promise<number>((done) =>
    child.stdout.once('data', (text: Buffer) => done(Number(text.toString()))),
  )
  return { pid, port }
}

function appOf(pids: readonly number[], config = { isCommand: true, listen: null as readonly string[] | null }) {
  // As much of an app as is asked.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { name: 'web', config, processes: () => new Set(pids.map((pid) => ({ pid }))) } as unknown as App
}

describe.runIf(process.platform === 'linux')('refuseSecondOfOwnPort()', () => {
  it('refuses it where the only process has opened a port, itself or by a child, and nowhere else', async () => {
    const { pid, port } = await listensBelowShell()
    expect(() => refuseSecondOfOwnPort(appOf([pid]))).toThrow(
      `Cannot scale "web": it opens port ${port} by itself, and two processes cannot have the same`,
    )
    // This process listens nowhere that is its own session's, two that run share it, and others are given theirs.
    refuseSecondOfOwnPort(appOf([1]))
    refuseSecondOfOwnPort(appOf([]))
    refuseSecondOfOwnPort(appOf([pid, 1]))
    refuseSecondOfOwnPort(appOf([pid], { isCommand: true, listen: ['3000'] }))
    refuseSecondOfOwnPort(appOf([pid], { isCommand: false, listen: null }))
  })
})

describe('adviceForOwnPort()', () => {
  const config = { isCommand: true, listen: [], workers: 2 }

  it.each([
    ['Error: listen EADDRINUSE: address already in use 127.0.0.1:80', config, true],
    ['OSError: [Errno 98] Address already in use', config, true],
    ['listen tcp :80: bind: address already in use', config, true],
    ['Permission denied', config, false],
    ['Address already in use', { ...config, workers: 1 }, false],
    ['Address already in use', { ...config, listen: [{ host: '::', port: 3000 }] }, false],
  ])('of %j with %j: %j', (line, given, isSaid) => {
    const advice = adviceForOwnPort(given, ['first', line])
    if (isSaid) expect(advice).toContain('`--workers 1`')
    else expect(advice).toBeNull()
  })
})
