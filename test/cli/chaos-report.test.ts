import { describe, expect, it } from 'vitest'
import { reportOf, type FaultSeen, type ReportFacts } from '../../src/cli/chaos-report.ts'
import { renderChaosLine, renderOutlook, renderReport } from '../../src/cli/chaos-view.ts'
import type { Asked } from '../../src/control/rehearsal-probe.ts'

function fault(change: Partial<FaultSeen> = {}): FaultSeen {
  return { n: 1, kind: 'kill', worker: 2, pid: 41, state: 'recovered', tookMs: 600, at: 3000, until: 3600, ...change }
}

function asked(at: number, until: number, outcome: Asked['outcome'] = 'ok'): Asked {
  return { at, until, outcome }
}

function report(change: Partial<ReportFacts> = {}) {
  return reportOf({ asked: [], faults: [fault()], crashes: new Map(), endedBecause: null, ...change })
}

describe('reportOf()', () => {
  it('passes when nothing failed and everything recovered', () => {
    const calm = Array.from({ length: 100 }, (_, at) => asked(at * 10, at * 10 + 5))
    const made = report({ asked: [...calm, asked(3100, 3120)], crashes: new Map([[41, 'c1']]) })
    expect(made).toMatchObject({
      passed: true,
      text: '1 fault, recovered from 1; none of 101 requests failed',
      before: { asked: 100, failed: 0, p50Ms: 5, p99Ms: 5 },
      faults: [{ n: 1, asked: 1, p50Ms: 20, crash: 'c1', tookMs: 600 }],
    })
  })

  it.each([
    ['cut by the kill', asked(2990, 3005, 'cut'), 'kill'],
    ['begun in its first moment', asked(3100, 3110, 'cut'), 'kill'],
    ['cut when the worker that was stopped is ended', asked(2990, 3590, 'cut'), 'stop'],
    ['not answered by a worker that hangs', asked(2990, 3500, 'timeout'), 'hang'],
    ['given up long after the worker was ended', asked(2990, 7990, 'timeout'), 'stop'],
  ] as const)('expects a request that was under way in the worker: %s', (_what, one, kind) => {
    const made = report({ asked: [one], faults: [fault({ kind })] })
    expect(made).toMatchObject({ passed: true, whole: { failed: 1, inFlight: 1 } })
    expect(made.text).toContain('1 of 1 requests failed, 1 of them under way in a worker that was taken')
  })

  it.each([
    ['refused', asked(3005, 3006, 'refused'), 'kill'],
    ['a 5xx', asked(3005, 3006, 'status'), 'kill'],
    ['cut although it began later', asked(3300, 3400, 'cut'), 'kill'],
    ['cut before', asked(2000, 2100, 'cut'), 'kill'],
    ['cut long after', asked(2990, 9000, 'cut'), 'kill'],
    ['cut while it was only slow', asked(2990, 3005, 'cut'), 'delay'],
    ['cut by the death of the supervisor', asked(2990, 3005, 'cut'), 'supervisor'],
    ['cut by a replacement', asked(2990, 3005, 'cut'), 'memory'],
  ] as const)('does not pass when a request failed that need not have: %s', (_what, one, kind) => {
    expect(report({ asked: [one], faults: [fault({ kind })] })).toMatchObject({
      passed: false,
      whole: { failed: 1, inFlight: 0 },
    })
  })

  it('looks at each request a few times, and not once for every fault', () => {
    let looks = 0
    const requests = Array.from({ length: 2000 }, (_, n) => ({
      at: n * 10,
      get until() {
        looks += 1
        return n * 10 + 5
      },
      outcome: 'ok' as const,
    }))
    const faults = Array.from({ length: 500 }, (_, n) => fault({ n, at: n * 40, until: n * 40 + 20, pid: n }))
    const made = report({ asked: requests.toReversed(), faults })
    expect(made.whole.asked).toBe(2000)
    expect(made.faults.slice(0, -1).every(({ asked: of }) => of <= 4)).toBe(true)
    expect(looks).toBeLessThan(2000 * 40)
  })

  it('does not pass when something has not recovered, or it ended early', () => {
    expect(report({ faults: [fault({ state: 'notRecovered', tookMs: null })] })).toMatchObject({ passed: false })
    const early = report({ endedBecause: 'Ctrl-C' })
    expect(early.passed).toBe(false)
    expect(early.text).toMatch(/; ended early: Ctrl-C$/)
  })

  it('tells when nobody could be asked', () => {
    expect(report().text).toContain('no request was asked')
  })

  it('counts a request in the fault in which it ended', () => {
    const faults = [fault(), fault({ n: 2, pid: 42, at: 3700, until: 4200 })]
    const made = report({ asked: [asked(3500, 3710, 'cut')], faults })
    expect(made.faults.map(({ failed, inFlight }) => [failed, inFlight])).toEqual([
      [0, 0],
      [1, 1],
    ])
  })

  it('gives a crash to the last fault of its process alone', () => {
    const faults = [fault({ kind: 'delay' }), fault({ n: 2, at: 9000, until: 9500 })]
    const made = report({ faults, crashes: new Map([[41, 'c1']]) })
    expect(made.faults.map(({ crash }) => crash)).toEqual([null, 'c1'])
  })
})

describe('renderReport()', () => {
  it('is one row a fault and the verdict', () => {
    const made = report({
      asked: [asked(10, 15), asked(2990, 3005, 'cut'), asked(3300, 3310, 'status')],
      faults: [
        fault(),
        fault({ n: 2, kind: 'supervisor', worker: null, pid: null, at: 9000, state: 'notRecovered', tookMs: null }),
      ],
      crashes: new Map([[41, 'c1']]),
    })
    expect(renderReport('web', made, (_colour, text) => text)).toEqual([
      '   FAULT       WORKER      RECOVERED  ASKED  FAILED    P50    P99  SEEN',
      '   before                                 1       0  5.0ms  5.0ms',
      '1  kill             2          600ms      2       2                1 cut, 1 5xx, 1 of them under way in it, crash c1',
      '2  supervisor          not recovered      0       0',
      '',
      '✗ web: 2 faults, recovered from 1; not recovered from 1; 2 of 3 requests failed, 1 of them under way in a worker that was taken',
    ])
  })
})

it('renderOutlook() says what would be done, what is left out and why', () => {
  const outlook = {
    app: 'web',
    serving: 2,
    busy: 'reload',
    faults: [
      { kind: 'kill', lengthMs: 0, text: 'SIGKILL to a worker', whyNot: null },
      { kind: 'stop', lengthMs: 35_000, text: 'SIGSTOP', whyNot: 'it may last 35 s' },
      { kind: 'supervisor', lengthMs: 0, text: 'SIGKILL', whyNot: null },
    ],
  } as const
  expect(renderOutlook(outlook, { kinds: ['kill', 'stop'], areNamed: false }, 'For 30s').slice(1)).toEqual([
    '  kill       SIGKILL to a worker',
    '  stop       left out: it may last 35 s',
    'Not now: a reload is under way.',
  ])
  expect(renderOutlook(outlook, { kinds: ['stop'], areNamed: true }, 'For 30s')[1]).toBe(
    '  stop       refused: it may last 35 s',
  )
})

it('renderChaosLine() tells of faults and how they end', () => {
  const line = { type: 'fault', app: 'web', n: 1, kind: 'kill', worker: 2, pid: 41, tookMs: null } as const
  expect(renderChaosLine({ ...line, state: 'began', text: 'worker 2 is killed' })).toBe('web: 1. worker 2 is killed')
  expect(renderChaosLine({ ...line, state: 'recovered', text: 'all serve' })).toBe('web: 1. recovered: all serve')
  expect(renderChaosLine({ type: 'queued', app: 'web', behind: 'x' })).toBeNull()
})
