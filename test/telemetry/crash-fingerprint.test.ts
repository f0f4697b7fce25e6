import { describe, expect, it } from 'vitest'
import { fingerprintOf, type CrashTraits } from '../../src/telemetry/crash-fingerprint.ts'

const STACK = `TypeError: Cannot read properties of undefined (reading 'id')
    at load (/srv/releases/1/lib/db.js:10:5)
    at async Object.<anonymous> (/srv/releases/1/server.js:3:1)
    at new Router [as route] (/srv/releases/1/node_modules/router/index.js:9:2)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)`

function traits(more: Partial<CrashTraits> = {}): CrashTraits {
  return {
    reason: 'exit',
    code: 1,
    signal: null,
    words: 'exited with code 1',
    stack: STACK,
    stderr: [],
    directories: ['/srv/releases/1'],
    ...more,
  }
}

const of = (more: Partial<CrashTraits> = {}) => fingerprintOf(traits(more)).fingerprint
const bundle = (name: string) => of({ stack: `Error: x\n    at f (/srv/releases/1/${name}:1:1)` })
const hang = (words: string) => of({ reason: 'hang', code: null, signal: 'SIGKILL', stack: null, words })
const message = (text: string) => of({ stack: `Error: ${text}\n    at f (/srv/releases/1/a.js:1:1)` })

describe('fingerprintOf()', () => {
  it('names the error and the first place in the app', () => {
    expect(fingerprintOf(traits()).title).toBe(
      "TypeError: Cannot read properties of undefined (reading 'id')   in load (lib/db.js)",
    )
    expect(fingerprintOf(traits({ stack: null, signal: 'SIGSEGV', reason: 'signal', words: 'crashed' })).title).toBe(
      'crashed',
    )
  })

  it('is the same in another release, at another line, and whatever Node calls from', () => {
    const elsewhere = STACK.replaceAll('/srv/releases/1', '/srv/releases/2')
    expect(of({ stack: elsewhere, directories: ['/srv/releases/2'] })).toBe(of())
    expect(of({ stack: STACK.replace('10:5', '12:7') })).toBe(of())
    expect(of({ stack: STACK.replace('node:internal/process/task_queues:105:5', 'node:net:1:1') })).toBe(of())
    expect(of({ stack: STACK.replace('/srv/releases/1/lib', 'file:///srv/releases/1/lib') })).toBe(of())
    expect(of({ stack: STACK.replace('/srv/releases/1/node_modules', '/opt/node_modules') })).toBe(of())
  })

  it('is another one in another function, file, message or reason', () => {
    const others = [
      of({ stack: STACK.replace('at load', 'at save') }),
      of({ stack: STACK.replace('lib/db.js', 'lib/cache.js') }),
      of({ stack: STACK.replace("'id'", "'name'") }),
      of({ reason: 'start-failure' }),
      of({ code: 2 }),
      of(),
    ]
    expect(new Set(others).size).toBe(others.length)
  })

  it.each([
    ['numbers', 'order 17 took 3.5 s', 'order 18123 took 0.1 s'],
    ['addresses', 'bad pointer 0x7ffe12ab', 'bad pointer 0x1'],
    ['ids', 'no user 2f1b7c9e-0d3a-4b5c-8d6e-7f8091a2b3c4', 'no user 00000000-0d3a-4b5c-8d6e-7f8091a2b3c4'],
    ['hashes', 'missing deadbeef01', 'missing 0123456789abcdef'],
    ['ports', 'connect ECONNREFUSED 10.0.0.1:5432', 'connect ECONNREFUSED 10.0.0.2:5433'],
  ])('overlooks %s', (_, one, other) => expect(message(one)).toBe(message(other)))

  it('overlooks the hash in the name of a bundle', () => {
    expect(bundle('chunk-4F2K9Q1Z.js')).toBe(bundle('chunk-B7XX01ZZ.js'))
    expect(bundle('chunk-settings.js')).not.toBe(bundle('chunk-database.js'))
  })

  it('reads a stack from stderr when the worker told none, but not when something else ended it', () => {
    const printed = { stack: null, stderr: STACK.split('\n') }
    expect(of(printed)).toBe(of())
    const killed = {
      reason: 'signal',
      code: null,
      signal: 'SIGKILL',
      words: 'was killed by somebody else with SIGKILL',
    }
    expect(of({ ...printed, ...killed })).toBe(of({ ...killed, stack: null, stderr: ['something else'] }))
  })

  it('tells hangs apart by what the process did, not for how long', () => {
    expect(hang('had not answered for 2 s; it was busy (98 % of a CPU)')).toBe(
      hang('had not answered for 30 s; it was busy (100 % of a CPU)'),
    )
    expect(hang('it was stopped')).not.toBe(hang('it was busy'))
  })
})
