import { beforeEach, describe, expect, it } from 'vitest'
import { TraceReports } from '../../src/supervisor/trace-reports.ts'

const GOOD = { spans: 'sent', problem: null } as const
const bad = (problem: string) => ({ spans: 'lost', problem }) as const
const tracing = { otlp: 'http://localhost:4318', ratio: 1 }

let told: string[]
let reports: TraceReports
beforeEach(() => {
  told = []
  reports = new TraceReports((type, text, cause, level) => told.push(`${level} ${type} (${cause}): ${text}`))
})

describe('TraceReports', () => {
  it('tells once what many workers say, and once that it is over', () => {
    for (const who of ['a', 'b']) reports.heard(who, GOOD)
    for (const who of ['a', 'b', 'a']) reports.heard(who, bad('nothing listens there'))
    reports.heard('a', GOOD)
    expect(told).toEqual(['warn tracingFailed (option tracing): traces are lost: nothing listens there'])
    reports.heard('b', GOOD)
    reports.heard('a', GOOD)
    expect(told.slice(1)).toEqual(['info tracingWorks (option tracing): traces are sent again'])
  })

  it('does not take the word of a new worker for the end of it while an old one still fails', () => {
    reports.heard('old', bad('no'))
    reports.heard('new', GOOD)
    reports.gone('old')
    reports.heard('new', bad('no'))
    expect(told).toHaveLength(1)
  })

  it('tells of the spans of a rollout, once, unless workers have said what is wrong', () => {
    for (const problem of ['no', 'no', null, 'no']) reports.rolloutSent(problem)
    const text = 'warn tracingFailed (option tracing): traces of the rollout are lost: no'
    expect(told).toEqual([text, text])
    reports.heard('a', bad('no'))
    reports.rolloutSent('not at all')
    expect(told).toHaveLength(3)
    expect(reports.status({ tracing })).toEqual(bad('no'))
  })

  it('says how it is: what is wrong first, nothing where no traces are wanted or known', () => {
    expect(reports.status({ tracing })).toBeNull()
    reports.heard('a', GOOD)
    expect(reports.status({ tracing })).toEqual(GOOD)
    reports.heard('b', bad('no'))
    expect(reports.status({ tracing })).toEqual(bad('no'))
    expect(reports.status({ tracing: null })).toBeNull()
    reports.gone('b')
    expect(reports.status({ tracing })).toEqual(GOOD)
  })
})
