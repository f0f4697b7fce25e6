import { describe, expect, it } from 'vitest'
import { Ring } from '../../src/telemetry/ring.ts'

describe('Ring', () => {
  it('keeps the latest items only', () => {
    const ring = new Ring<number>({ items: 3 })
    for (let item = 1; item <= 1000; item += 1) ring.push(item)
    expect(ring.recent()).toEqual([998, 999, 1000])
    expect(ring.length).toBe(3)
  })

  it('keeps no more bytes than allowed, but always the newest item', () => {
    const ring = new Ring<string>({ items: 100, bytes: 10, sizeOf: (text) => text.length })
    for (const text of ['aaaa', 'bbbb', 'cccc']) ring.push(text)
    expect(ring.recent()).toEqual(['bbbb', 'cccc'])
    expect(ring.bytes).toBe(8)
    ring.push('x'.repeat(50))
    expect(ring.recent()).toEqual(['x'.repeat(50)])
  })

  it('recent() finds the last that match, oldest first', () => {
    const ring = ringOf(1, 2, 3, 4, 5, 6)
    expect(ring.recent({ last: 2, matches: (item) => item % 2 === 0 })).toEqual([4, 6])
  })

  it('feed() loses and doubles nothing between what has been and what comes, however late it is followed', () => {
    const ring = ringOf(1, 2)
    const feed = ring.feed({ matches: (item) => item !== 4 })
    ring.push(3)
    const seen: number[] = []
    const stop = feed.follow((item) => seen.push(item))
    ring.push(4)
    ring.push(5)
    stop()
    ring.push(6)
    expect([feed.recent, seen]).toEqual([
      [1, 2],
      [3, 5],
    ])
  })

  it('feed() with no items wanted still follows', () => {
    const ring = ringOf(1, 2)
    const seen: number[] = []
    const feed = ring.feed({ last: 0 })
    feed.follow((item) => seen.push(item))
    ring.push(3)
    expect([feed.recent, seen]).toEqual([[], [3]])
  })

  it('removes a follower that throws, and tells the others', () => {
    const ring = ringOf()
    let calls = 0
    const seen: number[] = []
    ring.feed().follow(() => {
      calls += 1
      throw new Error('broken follower')
    })
    ring.feed().follow((item) => seen.push(item))
    ring.push(1)
    ring.push(2)
    expect([calls, seen]).toEqual([1, [1, 2]])
  })
})

function ringOf(...items: number[]): Ring<number> {
  const ring = new Ring<number>({ items: 10 })
  for (const item of items) ring.push(item)
  return ring
}
