import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { groupOf, newerTable, peersOf, type RouteTable } from '../../src/protocol/routes.ts'

const KEY = 'tcp:*:3000'
const table = (more: Partial<RouteTable> = {}): RouteTable => ({
  epoch: 1,
  active: 'blue',
  peers: { [KEY]: { blue: ['/b1'], green: ['/g1', '/g2'] } },
  groupSecret: 's3cret',
  ...more,
})
const group = fc.constantFrom('blue' as const, 'green' as const)
const tables = fc.record<RouteTable>({
  epoch: fc.nat(),
  active: group,
  peers: fc.dictionary(
    fc.constantFrom(KEY, 'tcp:*:1'),
    fc.record({ blue: fc.array(fc.string()), green: fc.array(fc.string()) }),
  ),
  groupSecret: fc.option(fc.string({ minLength: 1 }).filter((text) => !text.includes(' '))),
})

describe('groupOf()', () => {
  it.each([
    ['no header', {}, 'blue'],
    ['the other group with the secret', { 'x-supervise-group': 'green s3cret' }, 'green'],
    ['the active group with the secret', { 'x-supervise-group': 'blue s3cret' }, 'blue'],
    ['a wrong secret', { 'x-supervise-group': 'green s3creT' }, 'blue'],
    ['a part of the secret', { 'x-supervise-group': 'green s3cre' }, 'blue'],
    ['the secret twice', { 'x-supervise-group': 'green s3crets3cret' }, 'blue'],
    ['an empty secret', { 'x-supervise-group': 'green ' }, 'blue'],
    ['no secret', { 'x-supervise-group': 'green' }, 'blue'],
    ['an unknown group', { 'x-supervise-group': 'red s3cret' }, 'blue'],
    ['more words', { 'x-supervise-group': 'green s3cret x' }, 'blue'],
    ['the header twice', { 'x-supervise-group': 'green s3cret, green s3cret' }, 'blue'],
    ['a list', { 'x-supervise-group': ['green s3cret'] }, 'blue'],
  ])('%s', (_, headers, expected) => {
    expect(groupOf(table(), headers)).toBe(expected)
  })

  it('lets nobody choose without a secret in the table', () => {
    for (const given of ['', 'null', 's3cret'])
      expect(groupOf(table({ groupSecret: null }), { 'x-supervise-group': `green ${given}` })).toBe('blue')
  })

  it('is the active group unless the header is exactly a group and the secret', () => {
    fc.assert(
      fc.property(tables, group, fc.string(), (some, wanted, given) => {
        const isRight = some.groupSecret !== null && given === some.groupSecret
        const found = groupOf(some, { 'x-supervise-group': `${wanted} ${given}` })
        expect(found).toBe(isRight ? wanted : some.active)
      }),
    )
  })
})

describe('peersOf()', () => {
  it('is null for what is the own group’s, and the peers of the other one otherwise', () => {
    expect(peersOf(table(), 'blue', KEY, {})).toBeNull()
    expect(peersOf(table(), 'green', KEY, {})).toEqual(['/b1'])
    expect(peersOf(table({ active: 'green' }), 'blue', KEY, {})).toEqual(['/g1', '/g2'])
  })

  it('keeps requests of a listener that the other group does not have', () => {
    expect(peersOf(table({ active: 'green' }), 'blue', 'tcp:*:4000', {})).toBeNull()
    expect(peersOf(table({ active: 'green', peers: { [KEY]: { blue: [], green: [] } } }), 'blue', KEY, {})).toBeNull()
  })

  it('never sends a request back and forth: what one group forwards, the other keeps', () => {
    fc.assert(
      fc.property(tables, (some) => {
        const forwarding = (['blue', 'green'] as const).filter((own) => peersOf(some, own, KEY, {}) !== null)
        expect(forwarding.length).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('newerTable()', () => {
  it('never goes back but by clearing', () => {
    fc.assert(
      fc.property(tables, tables, (current, next) => {
        expect(newerTable(current, next)).toBe(next.epoch < current.epoch ? current : next)
        expect(newerTable(current, null)).toBeNull()
        expect(newerTable(null, next)).toBe(next)
      }),
    )
  })
})
