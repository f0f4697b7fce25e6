import { describe, expect, it } from 'vitest'

import { Unsent } from '../../src/agent/unsent.ts'

describe('Unsent', () => {
  it('gives back what it was told, as it was then, once', () => {
    const unsent = new Unsent()
    const body = { said: 'before' }
    unsent.add({ type: 'message', body })
    body.said = 'after'
    expect(unsent.takeAll()).toEqual([{ type: 'message', body: { said: 'before' } }])
    expect(unsent.takeAll()).toEqual([])
  })

  it('keeps the latest thousand', () => {
    const unsent = new Unsent()
    for (let body = 0; body < 1_200; body += 1) unsent.add({ type: 'message', body })
    const kept = unsent.takeAll()
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([
      1_000,
      { type: 'message', body: 200 },
      { type: 'message', body: 1_199 },
    ])
  })

  it('keeps no more than 8 MiB of them', () => {
    const unsent = new Unsent()
    for (let body = 0; body < 20; body += 1) unsent.add({ type: 'message', body: 'ü'.repeat(512 * 1024) })
    expect(unsent.takeAll()).toHaveLength(7)
    unsent.add({ type: 'message', body: 'x'.repeat(9 * 1024 * 1024) })
    expect(unsent.takeAll()).toEqual([])
  })

  it('throws for what is no JSON', () => {
    expect(() => new Unsent().add({ type: 'message', body: { count: 1n } })).toThrow(TypeError)
  })
})
