import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { renderChange } from '../../src/cli/diff.ts'
import { parseTarget } from '../../src/cli/instances.ts'
import { plain } from '../../src/cli/paint.ts'
import { formatTime, renderCrash, renderEvent, renderLog } from '../../src/cli/records-view.ts'
import { parseSignal } from '../../src/cli/signal.ts'
import type { CrashRecord } from '../../src/control/messages.ts'

beforeAll(() => void vi.stubEnv('TZ', 'UTC'))
afterAll(() => void vi.unstubAllEnvs())

const crash: CrashRecord = {
  id: 'c7',
  fingerprint: '0123456789',
  title: 'Error: boom',
  stack: null,
  mappedStack: null,
  requests: [],
  curve: [],
  heapSnapshots: [],
  at: '2026-01-02T03:04:05.000Z',
  app: 'web',
  group: 'blue',
  release: 'r1',
  worker: 2,
  pid: 413,
  code: 1,
  signal: null,
  reason: 'exit',
  words: 'exited with code 1',
  uptimeSeconds: 0.2,
  stderr: Array.from({ length: 10 }, (_, index) => `line ${index}`),
  rssBytes: 53_477_376,
  loopDelayMs: 1.5,
  requestsInFlight: 3,
  reportPath: '/run/report.json',
}

describe('renderCrash()', () => {
  it('shows what happened, the figures and the last lines', () => {
    expect(renderCrash(crash, plain).join('\n')).toMatchInlineSnapshot(`
      "2026-01-02 03:04:05  web/2  exited with code 1
          r1, pid 413, up 200ms, 51 MB, loop delay 2ms, 3 requests in flight
          … 2 lines more with --json
          | line 2
          | line 3
          | line 4
          | line 5
          | line 6
          | line 7
          | line 8
          | line 9
          report: /run/report.json"
    `)
  })
})

describe('renderEvent()', () => {
  it('shows when, where, what and why', () => {
    const actor = { kind: 'signal', name: 'SIGHUP' } as const
    const event = {
      seq: 1,
      time: crash.at,
      type: 'reloaded',
      app: 'web',
      text: 'reloaded r1',
      cause: 'signal SIGHUP',
      actor,
    }
    expect(renderEvent(event, plain)).toBe('2026-01-02 03:04:05  web  reloaded r1  (signal SIGHUP)')
    expect(renderEvent({ ...event, worker: 2 }, plain)).toContain('  web/2  ')
    expect(renderEvent({ ...event, app: null, text: '', cause: '' }, plain)).toBe('2026-01-02 03:04:05  reloaded')
  })
})

describe('renderLog()', () => {
  it('leaves what the app wrote as it is', () => {
    const record = { ...crash, time: crash.at, stream: 'stdout', line: '\u001b[31m{"a":1}\u001b[0m' } as const
    expect(renderLog(record, plain)).toBe('web/2 | \u001b[31m{"a":1}\u001b[0m')
  })
})

describe('formatTime()', () => {
  it('leaves what is no time as it is', () => expect(formatTime('soon')).toBe('soon'))
})

describe('renderChange()', () => {
  const change = { option: 'workers', kind: 'changed', from: '2', to: '4', applies: 'reload' } as const
  it('shows old and new value', () => expect(renderChange(change, plain)).toEqual(['- workers: 2', '+ workers: 4']))
  it('says what needs no reload', () => {
    expect(renderChange({ ...change, from: null, kind: 'added', applies: 'live' }, plain)).toEqual([
      '+ workers: 4  (applied without a reload)',
    ])
  })
  it('shows only the names of variables', () => {
    expect(renderChange({ ...change, option: 'env.KEY', from: null, to: null }, plain)).toEqual(['~ env.KEY'])
  })
})

describe('parseTarget()', () => {
  it.each([
    ['web', undefined, 'web', null],
    ['web/2', undefined, 'web', 2],
    ['web', '2', 'web', 2],
    ['2', undefined, null, 2],
    [undefined, undefined, null, null],
  ])('%s %s', (target, id, name, worker) => expect(parseTarget(target, id)).toEqual({ app: name, worker }))
})

describe('parseSignal()', () => {
  it('takes a signal with and without SIG', () => {
    expect(['usr2', 'SIGHUP', 'term'].map(parseSignal)).toEqual(['SIGUSR2', 'SIGHUP', 'SIGTERM'])
  })
  it('refuses what is no signal and says what may have been meant', () => {
    expect(() => parseSignal('USR3')).toThrow('Cannot send "USR3": there is no such signal')
  })
})
