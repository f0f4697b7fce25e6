import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startTimeOf } from '../../src/state/process-identity.ts'
import { OUTPUT_BYTES, runCommand, Tail } from '../../src/supervisor/run-command.ts'
import { until } from '../support/until.ts'
import { ENV, makeDirectory } from './command-scene.ts'

function run(command: string, more: { withinMs?: number; signal?: AbortSignal; input?: string; cwd?: string } = {}) {
  return runCommand({ command, cwd: '/', env: ENV, withinMs: 10_000, ...more })
}

describe('runCommand()', () => {
  it('succeeds with exit code 0, and keeps what was written to both streams', async () => {
    expect(await run('echo out; echo err >&2')).toEqual({ problem: null, output: 'out\nerr\n' })
  })

  it.each([
    ['exit 3', 'ended with exit code 3'],
    ['kill -SEGV $$', 'was killed by SIGSEGV'],
    ['no-such-command-here', 'was not found (exit code 127)'],
    ['/etc/passwd', 'may not be executed (exit code 126)'],
  ])('says how %j ended', async (command, problem) => {
    expect((await run(command)).problem).toBe(problem)
  })

  it('says that its directory is not there', async () => {
    expect((await run('true', { cwd: '/no/such/place' })).problem).toBe(
      'cannot be run: there is no directory "/no/such/place", or no `sh`',
    )
  })

  it('gives it its input, and does not mind when it reads none', async () => {
    expect((await run('cat', { input: '{"a":1}' })).output).toBe('{"a":1}')
    expect((await run('exec 0<&-; true', { input: 'x'.repeat(1e6) })).problem).toBeNull()
  })

  it('keeps the end of 10 MB in whole lines', async () => {
    const { problem, output } = await run('yes "a line of the output" | head -c 10000000; echo; echo last')
    expect(problem).toBeNull()
    expect(output.length).toBeLessThan(OUTPUT_BYTES + 100)
    expect(output).toMatch(/^\[99\d{5} bytes before this are left out\]\na line of the output\n/)
    expect(output).toMatch(/\nlast\n$/)
  })

  it('kills what it started, too, when its time is over', async () => {
    const file = join(makeDirectory(), 'pid')
    const end = await run(`echo begun; sh -c 'echo $$ > ${file}; sleep 60' & sleep 60`, { withinMs: 400 })
    expect(end).toEqual({ problem: 'did not end within 400ms', output: 'begun\n' })
    const pid = Number(readFileSync(file, 'utf8'))
    await until(() => startTimeOf(pid) === null, 5000, 'the child of the command is gone')
  })

  it('kills it when it is aborted, and does not begin when it was', async () => {
    const abort = new AbortController()
    const ending = run('sleep 60', { signal: abort.signal })
    abort.abort()
    expect((await ending).problem).toBe('was aborted')
    expect((await run('true', { signal: abort.signal })).problem).toBe('was aborted')
  })

  it('does not wait for a process that it leaves behind with its output open', async () => {
    const began = performance.now()
    const { problem, output } = await run('sleep 4 & echo done')
    expect([problem, output]).toEqual([null, 'done\n'])
    expect(performance.now() - began).toBeLessThan(3000)
  })
})

describe('Tail', () => {
  it('keeps everything up to its limit, and the end of what is longer', () => {
    const tail = new Tail(10)
    for (const text of ['ab\n', 'cd\n']) tail.add(Buffer.from(text))
    expect(tail.text()).toBe('ab\ncd\n')
    for (const text of ['efgh\n', 'ijkl\n', 'mnop\n']) tail.add(Buffer.from(text))
    expect(tail.text()).toBe('[11 bytes before this are left out]\nmnop\n')
  })
})
