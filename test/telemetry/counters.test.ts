import { describe, expect, it } from 'vitest'
import { Counters } from '../../src/telemetry/counters.ts'

describe('Counters', () => {
  it('counts by labels, whatever their order', () => {
    const counters = new Counters()
    counters.add('a', { app: 'web', reason: 'exit' })
    counters.add('a', { reason: 'exit', app: 'web' }, 2)
    counters.add('a', { app: 'web', reason: 'signal' })
    expect(counters.counted('a').map(({ value }) => value)).toEqual([3, 1])
    expect(counters.counted('b')).toEqual([])
  })

  it('times into buckets', () => {
    const counters = new Counters()
    counters.time('t', { app: 'web' }, 0.003)
    counters.time('t', { app: 'web' }, 1000)
    const [timed] = counters.timed('t')
    expect(timed?.sum).toBeCloseTo(1000.003)
    expect(timed?.counts[2]).toBe(1)
    expect(timed?.counts.at(-1)).toBe(1)
  })

  it('goes on where it was after a restart, and forgets an app that is gone', () => {
    const before = new Counters()
    before.add('a', { app: 'web' }, 7)
    before.time('t', { app: 'web' }, 1)
    const counters = new Counters()
    counters.restore(JSON.parse(JSON.stringify(before.save())))
    counters.add('a', { app: 'web' })
    counters.time('t', { app: 'web' }, 1)
    expect(counters.counted('a')).toEqual([{ labels: { app: 'web' }, value: 8 }])
    expect(counters.timed('t')[0]?.sum).toBe(2)
    counters.forgetApp('web')
    expect(counters.counted('a')).toEqual([])
    expect(counters.timed('t')).toEqual([])
  })

  it('stays small when the values of a label come and go for ever', () => {
    const counters = new Counters()
    counters.add('a', { app: 'quiet' }, 3)
    for (let release = 0; release < 2000; release += 1) {
      counters.add('a', { app: 'web', release: `r${release}` })
      counters.add('a', { app: 'web', release: 'lives' })
    }
    const kept = counters.counted('a')
    expect(kept.length).toBeLessThanOrEqual(501)
    // Neither what is still told of nor another app's counts go for them.
    expect(kept.find(({ labels }) => labels['release'] === 'lives')?.value).toBe(2000)
    expect(kept.find(({ labels }) => labels['app'] === 'quiet')?.value).toBe(3)
    expect(counters.counted('a').at(-1)?.labels['release']).toBe('r1999')
  })
})
