import { readlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { SocketHandle } from '../../src/protocol/handle.ts'
import { listenerFromHandles } from '../../src/sockets/listener.ts'
import { bindNextSlot } from '../../src/sockets/tcp-slots.ts'
import { ADOPTION_REST_MS, type Inherited, type Lending } from '../../src/supervisor/lending.ts'
import { FakeBorrower, settle } from './fake-borrowers.ts'
import { everySlot, KEY, REQUEST, Scene, SLOTS } from './lending-scene.ts'

let scene: Scene

beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.lending.closeAll())

/** Another supervisor, after the first was killed: same workers, no slot of its own. */
function takeOver(
  borrowers: readonly FakeBorrower[],
  inherited?: Inherited,
): { next: Lending; adopted: FakeBorrower[] } {
  const { name } = scene.lending.listen(REQUEST, KEY)
  const next = scene.makeLending(inherited)
  const adopted = borrowers.map((old) => {
    const again = new FakeBorrower(old.incarnation, next)
    for (const [slot, handle] of old.holds) again.holds.set(slot, duplicate(handle))
    for (const slot of old.accepts) again.accepts.add(slot)
    again.listening.add(KEY)
    return again
  })
  for (const one of adopted) next.adoptReports(one, [one.report(KEY, REQUEST, name)])
  return { next, adopted }
}

/** What arrives over the link is a copy; the original is not closed with it. */
function duplicate(handle: SocketHandle): SocketHandle {
  return new Proxy(handle, {
    get(target, property) {
      if (property === 'close') return () => {}
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe('Lending.adoptReports()', () => {
  it('gets every slot back once, and moves nothing that is as it should be (S2)', () => {
    scene.serving(3)
    const before = scene.workers.map((one) => one.slots(KEY))
    const { next, adopted } = takeOver(scene.workers)
    expect(next.countMissingSlots()).toBe(SLOTS)
    settle(adopted)
    expect(next.countMissingSlots()).toBe(0)
    expect(adopted.flatMap((one) => one.log).filter((line) => line === 'give')).toHaveLength(1)
    for (const one of adopted) next.addBorrower(one)
    scene.clock.advance(ADOPTION_REST_MS)
    settle(adopted)
    expect(adopted.map((one) => one.slots(KEY))).toEqual(before)
    expect(adopted.flatMap((one) => one.log).filter((line) => line.startsWith('attach'))).toEqual([])
    next.closeAll()
  })

  it('does not take the slots of a worker that accepts before it is told that it may', () => {
    scene.serving(2)
    const { next, adopted } = takeOver(scene.workers)
    settle(adopted)
    scene.clock.advance(ADOPTION_REST_MS)
    settle(adopted)
    expect(adopted.map((one) => one.slots(KEY).length)).toEqual([SLOTS, SLOTS])
    next.closeAll()
  })

  it('trims orphans that accept on everything back to their share', () => {
    scene.serving(4)
    for (const one of scene.workers) for (const slot of one.holds.keys()) one.accepts.add(slot)
    const { next, adopted } = takeOver(scene.workers)
    settle(adopted)
    scene.clock.advance(ADOPTION_REST_MS)
    settle(adopted)
    expect(adopted.map((one) => one.slots(KEY).length)).toEqual([4, 4, 4, 4])
    expect(next.status()[0]!.slots).toBe(SLOTS)
    next.closeAll()
  })

  it('asks another keeper when the first one dies or has lost the slot', () => {
    scene.serving(3)
    const { next, adopted } = takeOver(scene.workers)
    adopted[0]!.dies()
    adopted[1]!.holds.delete(`${KEY}/2`)
    settle(adopted)
    expect(next.countMissingSlots()).toBe(0)
    expect(next.status()[0]!.slots).toBe(SLOTS)
    next.closeAll()
  })

  it('gives up a slot that nobody has any more, and binds another beside the rest', () => {
    scene.serving(1)
    const { next, adopted } = takeOver(scene.workers)
    adopted[0]!.holds.delete(`${KEY}/3`)
    settle(adopted)
    next.addBorrower(adopted[0]!)
    scene.clock.advance(ADOPTION_REST_MS)
    settle(adopted)
    expect(next.status()[0]!.slots).toBe(SLOTS)
    expect(adopted[0]!.slots(KEY).toSorted((a, b) => a - b)).toEqual(everySlot((slot) => slot))
    next.closeAll()
  })

  it('closes a slot that comes for a listener that is no more', () => {
    let closed = false
    const { name } = scene.lending.listen(REQUEST, KEY)
    expect(name.port).toBeGreaterThan(0)
    const late = { close: () => void (closed = true) }
    // Nothing but close() is called on it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    scene.lending.slotReceived('w0', 'no such key', 0, late as SocketHandle)
    expect(closed).toBe(true)
  })
})

/** `before` is what happens when the workers have dialled in, and before they answer. */
function adoptWith(
  handles: readonly SocketHandle[],
  before: (adopted: readonly FakeBorrower[], next: Lending) => void = () => {},
): { next: Lending; adopted: FakeBorrower[] } {
  const { next, adopted } = takeOver(scene.workers, {
    take: (key, request) => listenerFromHandles(key, request, handles, () => {}),
  })
  for (const one of adopted) next.addBorrower(one)
  before(adopted, next)
  settle(adopted)
  scene.clock.advance(ADOPTION_REST_MS)
  settle(adopted)
  return { next, adopted }
}

describe('Lending.adoptReports() where the service manager has passed the sockets', () => {
  it('leaves all as it is when they are those that workers have', () => {
    scene.serving(2)
    const before = scene.workers.map((one) => one.slots(KEY))
    const [first] = scene.workers
    const handles = everySlot((slot) => duplicate(mustBe(first?.holds.get(`${KEY}/${slot}`))))
    const { next, adopted } = adoptWith(handles)
    expect(adopted.map((one) => one.slots(KEY))).toEqual(before)
    expect(next.status()[0]?.slots).toBe(SLOTS)
    next.closeAll()
  })

  it('lends them too when it has closed those of the workers and opened others (S2, Y6)', () => {
    scene.serving(2)
    const name = scene.lending.listen(REQUEST, KEY).name
    const opened = [0, 1].map(() => bindNextSlot(name, 0)).filter((handle) => typeof handle !== 'number')
    const inodes = opened.map(({ fd }) => readlinkSync(`/proc/self/fd/${fd}`))
    const { next, adopted } = adoptWith(opened)
    expect(next.countMissingSlots()).toBe(0)
    expect(next.status()[0]?.slots).toBe(SLOTS + 2)
    const accepted = new Set(adopted.flatMap((one) => one.slots(KEY)))
    expect(accepted.size).toBe(SLOTS + 2)
    const held = adopted.flatMap((one) => [...accepted].map((slot) => one.holds.get(`${KEY}/${slot}`)))
    expect(held.map((handle) => readlinkSync(`/proc/self/fd/${mustBe(handle).fd}`))).toEqual(
      expect.arrayContaining(inodes),
    )
    // They are the service manager's to close.
    next.closeAll()
    expect(opened.map(({ fd }) => readlinkSync(`/proc/self/fd/${fd}`))).toEqual(inodes)
    for (const handle of opened) handle.close()
  })

  it('asks another worker when the one that was asked dies without an answer (S2, Y6)', () => {
    scene.serving(2)
    const name = scene.lending.listen(REQUEST, KEY).name
    const opened = [0, 1].map(() => bindNextSlot(name, 0)).filter((handle) => typeof handle !== 'number')
    const { next, adopted } = adoptWith(opened, ([first, second]) => {
      expect([isAsked(first), isAsked(second)]).toEqual([true, false])
      first?.dies()
      expect(isAsked(second)).toBe(true)
    })
    expect(adopted[1]?.slots(KEY)).toHaveLength(SLOTS + 2)
    next.closeAll()
    for (const handle of opened) handle.close()
  })
})

function isAsked(one: FakeBorrower | undefined): boolean {
  return one?.log.includes('give') === true
}

function mustBe<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('not there')
  return value
}
