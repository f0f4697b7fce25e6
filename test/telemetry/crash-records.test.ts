import { describe, expect, it } from 'vitest'
import { crashRecord, stderrTail, type CrashFacts } from '../../src/telemetry/crash-records.ts'

function facts(more: Partial<CrashFacts> = {}): CrashFacts {
  return {
    at: new Date(0),
    app: 'web',
    group: 'blue',
    release: 'r1',
    worker: 2,
    pid: 77,
    uptimeMs: 1234,
    code: 1,
    signal: null,
    wasReady: true,
    killed: null,
    stderr: ['Error: boom', '    at f (/app/a.js:1:2)'],
    uncaught: null,
    adopted: false,
    kernelKilled: null,
    directory: '/app',
    vitals: null,
    sample: null,
    reportPath: null,
    curve: [],
    heapSnapshots: [],
    mappedStack: null,
    requests: [],
    directories: ['/app'],
    ...more,
  }
}

describe('crashRecord()', () => {
  it('has what is known, in words, and null for what is not', () => {
    expect(crashRecord(facts())).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      app: 'web',
      group: 'blue',
      release: 'r1',
      worker: 2,
      pid: 77,
      code: 1,
      signal: null,
      reason: 'exit',
      words: 'exited with code 1: Error: boom   at a.js:1:2',
      uptimeSeconds: 1.234,
      stderr: ['Error: boom', '    at f (/app/a.js:1:2)'],
      rssBytes: null,
      loopDelayMs: null,
      requestsInFlight: null,
      reportPath: null,
      fingerprint: expect.stringMatching(/^[0-9a-f]{10}$/),
      title: 'Error: boom   in f (a.js)',
      stack: null,
      mappedStack: null,
      requests: [],
      curve: [],
      heapSnapshots: [],
    })
  })

  it('has the last figures before the end', () => {
    const vitals = {
      loopDelayMs: 3,
      loopUtilization: 0,
      heapUsedBytes: 0,
      heapLimitBytes: 0,
      connections: 0,
      requests: 9,
      inFlight: 4,
    }
    const record = crashRecord(
      facts({ vitals, sample: { cpuPercent: 1, rssBytes: 5000, cpuSeconds: 1, children: null } }),
    )
    expect(record).toMatchObject({ rssBytes: 5000, loopDelayMs: 3, requestsInFlight: 4 })
  })

  it('keeps the last 64 lines of stderr, none of them endless', () => {
    const stderr = [...Array.from({ length: 100 }, (_, line) => `line ${line}`), 'x'.repeat(100_000)]
    const record = crashRecord(facts({ stderr }))
    expect([record.stderr.length, record.stderr[0]]).toEqual([64, 'line 37'])
    expect(record.stderr.at(-1)?.length).toBe(2000)
  })
})

describe('stderrTail()', () => {
  it('is bounded by lines and by bytes', () => {
    const tail = stderrTail()
    for (let line = 0; line < 1000; line += 1) tail.push(String(line))
    expect(tail.recent().length).toBe(64)
    for (let line = 0; line < 64; line += 1) tail.push('x'.repeat(100_000))
    expect(tail.bytes).toBeLessThanOrEqual(256 * 1024)
  })
})
