import { describe, expect, it } from 'vitest'
import { serviceLevel } from '../../src/config/slo-parser.ts'

const parse = (input: unknown) => serviceLevel.parse(input, '/')

describe('serviceLevel', () => {
  it.each([
    [99.9, { availability: 99.9, latency: null }],
    ['99.9', { availability: 99.9, latency: null }],
    ['99.9%', { availability: 99.9, latency: null }],
    ['500ms 99', { availability: null, latency: { thresholdMs: 500, target: 99 } }],
    ['99.9, 1s 95%', { availability: 99.9, latency: { thresholdMs: 1000, target: 95 } }],
    [{ availability: 99 }, { availability: 99, latency: null }],
    [
      { latency: { threshold: '500ms', target: 99 } },
      { availability: null, latency: { thresholdMs: 500, target: 99 } },
    ],
    [{ latency: { threshold: 250, target: 99 } }, { availability: null, latency: { thresholdMs: 250, target: 99 } }],
  ])('understands %j', (input, value) => {
    const parsed = parse(input)
    expect(parsed).toEqual({ ok: true, value })
    expect(parse(serviceLevel.format(value))).toEqual({ ok: true, value })
  })

  it.each([
    [100, [/100 is not allowed; write a percentage above 0 and below 100/]],
    ['good', [/write .*99\.9/]],
    ['', [/write .*99\.9/]],
    [{}, [/write .*99\.9/]],
    [{ availabilty: 99 }, [/Did you mean "availability"/]],
    [{ latency: '500ms' }, [/threshold: "500ms"/]],
    [{ latency: { threshold: 'soon', target: 99 } }, [/"soon" is not allowed; write a duration/]],
    [{ latency: { threshold: '1s' } }, [/write a percentage/]],
    [{ latency: { treshold: '1s', target: 99 } }, [/Did you mean "threshold"/]],
    [null, [/write .*99\.9/]],
  ])('refuses %j and says what to write', (input, problems) => {
    const parsed = parse(input)
    const told = parsed.ok ? [] : parsed.refusals.map(({ problem }) => problem)
    expect(told).toEqual(problems.map((problem) => expect.stringMatching(problem)))
  })
})
