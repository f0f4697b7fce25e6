import { describe, expect, it } from 'vitest'
import {
  EMPTY_QUEUE,
  finish,
  MAX_WAITING,
  request,
  type Operation,
  type OperationKind,
  type OperationQueue,
} from '../../src/core/operation-queue.ts'

let ids = 0
const wish = (kind: OperationKind, subject = ''): Operation => ({ id: (ids += 1), kind, subject })

function asking(...wishes: Operation[]): { queue: OperationQueue; verdicts: string[] } {
  const verdicts: string[] = []
  let queue = EMPTY_QUEUE
  for (const each of wishes) {
    const result = request(queue, each)
    queue = result.queue
    verdicts.push(result.verdict.kind)
  }
  return { queue, verdicts }
}

describe('request()', () => {
  it('runs one of ten reloads, keeps one, and joins the rest to it (R8)', () => {
    const { queue, verdicts } = asking(...Array.from({ length: 10 }, () => wish('reload')))
    expect(verdicts).toEqual(['begin', 'wait', ...Array.from({ length: 8 }, () => 'join')])
    expect(queue.waiting).toHaveLength(1)
  })

  it('keeps different wishes apart', () => {
    expect(asking(wish('reload'), wish('restart', '1'), wish('restart', '2'), wish('restart', '1')).verdicts).toEqual([
      'begin',
      'wait',
      'wait',
      'join',
    ])
  })

  it('never joins two wishes to scale', () => {
    expect(asking(wish('reload'), wish('scale', '+1'), wish('scale', '+1')).verdicts).toEqual(['begin', 'wait', 'wait'])
  })

  it('of releases that wait for another, begins only the last one asked for (R7)', () => {
    const [running, second, other, third, fourth] = [
      wish('deploy', '1'),
      wish('deploy', '2'),
      wish('reload'),
      wish('rollback', 'r1'),
      wish('deploy', '3'),
    ]
    const { queue, verdict } = request(asking(running, second, other).queue, third)
    expect(verdict).toEqual({ kind: 'wait', dropped: [second] })
    expect(request(queue, fourth)).toEqual({
      queue: { current: running, waiting: [other, fourth] },
      verdict: { kind: 'wait', dropped: [third] },
    })
  })

  it('stops at once, aborts what runs and drops what waits (R9)', () => {
    const running = wish('reload')
    const waiting = wish('scale', '+1')
    const { verdict } = request(asking(running, waiting).queue, wish('stop'))
    expect(verdict).toEqual({ kind: 'begin', aborted: running, dropped: [waiting] })
  })

  it('refuses everything during a stop but another stop, which it joins', () => {
    const { queue } = asking(wish('stop'))
    expect(request(queue, wish('reload')).verdict.kind).toBe('refuse')
    expect(request(queue, wish('stop')).verdict.kind).toBe('join')
  })

  it('lets no number of recycles keep people out, and puts their wishes first', () => {
    const recycles = Array.from({ length: MAX_WAITING + 2 }, (_, worker) => wish('recycle', String(worker)))
    const { queue, verdicts } = asking(...recycles)
    expect(verdicts).toEqual(['begin', ...Array.from({ length: MAX_WAITING + 1 }, () => 'wait')])
    const people = [wish('scale', '+1'), wish('restart', '1')]
    const after = people.reduce((before, each) => request(before, each).queue, queue)
    expect(after.waiting).toEqual([...people, ...recycles.slice(1)])
    expect(request(after, wish('recycle', '5')).verdict.kind).toBe('join')
  })

  it.each([wish('reload'), wish('restart', 'all')])('drops waiting recycles for what replaces every worker', (all) => {
    const scale = wish('scale', '+1')
    const recycles = [wish('recycle', '1'), wish('recycle', '2')]
    const { queue, verdict } = request(asking(wish('scale', '4'), ...recycles, scale).queue, all)
    expect(verdict).toEqual({ kind: 'wait', dropped: recycles })
    expect(queue.waiting).toEqual([scale, all])
  })

  it('refuses when too many wait', () => {
    const many = Array.from({ length: MAX_WAITING + 2 }, () => wish('scale', '+1'))
    expect(asking(...many).verdicts.at(-1)).toBe('refuse')
  })
})

describe('finish()', () => {
  it('begins what waits, in order', () => {
    const [first, second, third] = [wish('start'), wish('reload'), wish('scale', '4')] as const
    const after = finish(asking(first, second, third).queue, first.id)
    expect(after.next).toEqual(second)
    expect(finish(after.queue, second.id).next).toEqual(third)
  })

  it('ignores an operation that was overtaken by a stop', () => {
    const reload = wish('reload')
    const { queue } = asking(reload, wish('stop'))
    expect(finish(queue, reload.id)).toEqual({ queue, next: null })
  })
})
