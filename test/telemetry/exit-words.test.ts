import { describe, expect, it } from 'vitest'
import { explainExit, type Ending } from '../../src/telemetry/exit-words.ts'
import { NODES, runApp } from './failing-apps.ts'

function ending(more: Partial<Ending>): Ending {
  const quiet = { code: null, signal: null, wasReady: true, killed: null, stderr: [], uncaught: null }
  return { ...quiet, adopted: false, kernelKilled: null, directory: null, ...more }
}

function words(more: Partial<Ending>): string {
  return explainExit(ending(more)).words
}

describe.each(NODES)('explainExit() of what really happened on %s', (node) => {
  const explain = async (code: string, nodeArgs: string[] = [], name = 'app.js') => {
    const { code: exitCode, signal, stderr, directory } = await runApp({ [name]: code }, nodeArgs, node)
    return explainExit(ending({ code: exitCode, signal, stderr, directory }))
  }

  it.concurrent('C2: an exit code of the app', async () => {
    expect(await explain('process.exit(42)')).toEqual({ reason: 'exit', words: 'exited with code 42' })
  })

  it.concurrent('C2: an uncaught error', async () => {
    expect(await explain("throw new Error('boom')")).toEqual({
      reason: 'exit',
      words: 'exited with code 1: Error: boom   at app.js:1:7',
    })
  })

  it.concurrent('C2: SIGSEGV', async () => {
    const { reason, words: said } = await explain("process.kill(process.pid, 'SIGSEGV')")
    expect([reason, said]).toEqual(['signal', 'crashed with SIGSEGV (native code touched memory that is not its own)'])
  })

  it.concurrent('C2: SIGKILL from nowhere', async () => {
    const { reason, words: said } = await explain("process.kill(process.pid, 'SIGKILL')")
    expect(reason).toBe('signal')
    expect(said).toContain('which the supervisor did not send')
  })

  it.concurrent('C2: out of memory', async () => {
    const { reason, words: said } = await explain('const a = []; for (;;) a.push(Array(999).fill(Math.random()))', [
      '--max-old-space-size=20',
    ])
    expect([reason, said]).toEqual(['out-of-memory', 'ran out of memory: the JavaScript heap reached its limit'])
  })

  it.concurrent('process.abort()', async () => {
    const { reason, words: said } = await explain('process.abort()')
    expect([reason, said]).toEqual([
      'signal',
      'aborted with SIGABRT (process.abort() or a failed check in native code)',
    ])
  })

  it.concurrent('a top-level await that never settles', async () => {
    const { words: said } = await explain('\nawait new Promise(() => {})', [], 'app.mjs')
    expect(said).toBe('exited with code 13: its top-level await at app.mjs:2 can never be settled')
  })

  it.concurrent('arguments that Node refuses', async () => {
    const { words: said } = await explain('', ['--no-such-option'])
    expect(said).toMatch(
      /^exited with code 9 \(unless the app chose it: Node refused its arguments\): .*bad option: --no-such-option$/,
    )
  })
})

describe('explainExit()', () => {
  it('names what codes mean to Node and to shells, and leaves other codes alone', () => {
    expect(words({ code: 0 })).toBe('exited with code 0 without being asked to')
    expect(words({ code: 7 })).toContain('threw an error itself')
    expect(words({ code: 127 })).toContain('not found')
    expect(words({ code: 137 })).toBe('exited with code 137 (128 + 9: as a shell reports SIGKILL)')
    expect(words({ code: 200 })).toBe('exited with code 200')
  })

  it("does not take a program's exit codes for Node's", () => {
    expect(words({ code: 3, isCommand: true })).toBe('exited with code 3')
    expect(words({ code: 13, isCommand: true })).toBe('exited with code 13')
    expect(words({ code: 127, isCommand: true })).toContain('not found')
  })

  it('says what was rehearsed', () => {
    const killed = { by: 'rehearsal' } as const
    expect(explainExit(ending({ signal: 'SIGKILL', killed, rehearsed: 'kill' }))).toEqual({
      reason: 'signal',
      words: 'was killed at once (SIGKILL); "kill" was rehearsed (`supervise chaos`)',
    })
    expect(words({ code: 200, rehearsed: 'delay' })).toBe(
      'exited with code 200; "delay" was rehearsed (`supervise chaos`)',
    )
  })

  it('takes the uncaught error from the agent when it told', () => {
    const uncaught = 'Error: boom\n    at f (/app/a.js:3:4)'
    expect(words({ code: 1, uncaught, directory: '/app' })).toBe(
      'exited with code 1 after an error that nobody caught: Error: boom   at a.js:3:4',
    )
  })

  it('calls it a start failure until the worker has been ready', () => {
    expect(explainExit(ending({ code: 0, wasReady: false }))).toEqual({
      reason: 'start-failure',
      words: 'exited with code 0 without being asked to before it was ready',
    })
    const stderr = ['FATAL ERROR: JavaScript heap out of memory']
    expect(explainExit(ending({ signal: 'SIGABRT', stderr, wasReady: false })).reason).toBe('out-of-memory')
  })

  it('C2: tells who sent SIGKILL, as far as it is known', () => {
    expect(explainExit(ending({ signal: 'SIGKILL', kernelKilled: true })).reason).toBe('out-of-memory')
    expect(words({ signal: 'SIGKILL', kernelKilled: false })).toBe('was killed by somebody else with SIGKILL')
    expect(words({ signal: 'SIGKILL', killed: { by: 'killTimeout', afterMs: 10_000, signal: 'SIGTERM' } })).toBe(
      'was killed because it was still there 10 s after SIGTERM',
    )
  })

  it('names each reason that the supervisor itself had', () => {
    const hang = { by: 'hang', silentMs: 5500, doing: 'stopped (SIGSTOP)' } as const
    expect(explainExit(ending({ signal: 'SIGKILL', killed: hang }))).toEqual({
      reason: 'hang',
      words: 'was killed because its event loop had not answered for 5.5 s; it was stopped (SIGSTOP)',
    })
    const ready = { by: 'readyTimeout', afterMs: 500, waitedFor: '/readyz' } as const
    expect(explainExit(ending({ killed: ready, wasReady: false }))).toEqual({
      reason: 'start-failure',
      words: 'was killed because it was not ready after 500 ms, which waits for /readyz',
    })
    const liveness = { by: 'liveness', path: '/livez', failures: 3 } as const
    expect(explainExit(ending({ killed: liveness }))).toEqual({
      reason: 'liveness',
      words: 'was killed because its liveness probe /livez failed 3 times in a row',
    })
    expect(explainExit(ending({ killed: { by: 'drainTimeout', afterMs: 30_000 } })).reason).toBe('hang')
    expect(words({ killed: { by: 'request' } })).toBe('was killed at once, as asked')
  })

  it('says so when nobody saw the exit code of an adopted worker', () => {
    expect(words({ adopted: true })).toContain('nobody saw')
    expect(words({ adopted: true, code: 30 })).toBe('exited with code 30')
    expect(words({ adopted: true, wasReady: false })).toMatch(/had forked it, before it was ready$/)
  })

  it('does not blame the last line of stderr for a signal from outside', () => {
    expect(words({ signal: 'SIGTERM', stderr: ['Warning: something'] })).toBe(
      'was ended by SIGTERM, which the supervisor did not send',
    )
  })
})
