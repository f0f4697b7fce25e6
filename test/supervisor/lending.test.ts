import { existsSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs'
import { once } from 'node:events'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { ListenRequest } from '../../src/protocol/messages.ts'
import { UV } from '../../src/sockets/server-handle.ts'
import { ATTACH_DEADLINE_MS, WITHDRAW_DEADLINE_MS } from '../../src/supervisor/borrowing-worker.ts'
import { everySlot, isResolved, KEY, REQUEST, Scene, SLOTS } from './lending-scene.ts'

let scene: Scene

beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.lending.closeAll())

describe('Lending.listen()', () => {
  it('gives every worker the same listener, and says its name (A10)', () => {
    const first = scene.lending.listen(REQUEST, KEY)
    expect(first.name.port).toBeGreaterThan(0)
    expect(scene.lending.listen(REQUEST, KEY).name).toEqual(first.name)
    expect(scene.lending.status()).toEqual([{ address: '127.0.0.1', port: first.name.port, path: null, slots: SLOTS }])
  })

  it('says why an address cannot be had, and goes on with the others (A9)', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const answer = scene.lending.listen({ ...REQUEST, port }, 'taken')
    expect(answer.errno).toBe(UV.inUse)
    expect(answer.words).toContain(`Cannot listen on "127.0.0.1:${port}": it is in use by process ${process.pid}`)
    expect(scene.lending.status()).toEqual([])
    server.close()
  })

  it('passes on what the first worker shares', () => {
    expect(scene.lending.listen(REQUEST, KEY, 'keys of the first').shared).toBe('keys of the first')
    expect(scene.lending.listen(REQUEST, KEY, 'keys of the second').shared).toBe('keys of the first')
  })

  it('puts a Unix path back that the next worker deleted before it listened (A6)', () => {
    const directory = mkdtempSync(join(tmpdir(), 'lending-'))
    const path = join(directory, 'app.sock')
    const request: ListenRequest = { address: path, port: -1, addressType: -1, flags: 0, backlog: null }
    scene.lending.listen(request, path)
    unlinkSync(path)
    scene.lending.listen(request, path)
    expect(existsSync(path)).toBe(true)
    const one = scene.worker()
    one.listens(path)
    unlinkSync(path)
    one.dies()
    expect(existsSync(path)).toBe(true)
    scene.lending.closeAll()
    expect(existsSync(path)).toBe(false)
    rmSync(directory, { recursive: true })
  })
})

describe('Lending, with workers that come and go', () => {
  it('gives a worker that listens a hold of every slot, and no loan before it may borrow', () => {
    scene.lending.listen(REQUEST, KEY)
    const early = scene.worker()
    early.listens(KEY)
    expect(early.log).toEqual(everySlot((slot) => `hold ${slot}`))
    scene.lending.addBorrower(early)
    expect(early.log.slice(SLOTS)).toEqual(everySlot((slot) => `attach ${slot}`))
  })

  it('lends every slot to two, and the shares are even (L1)', () => {
    scene.serving(4)
    expect(new Set(scene.coverage())).toEqual(new Set([2]))
    const shares = scene.workers.map((one) => one.slots(KEY).length)
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
  })

  it('grows with the workers, and everybody holds the new slots too', () => {
    scene.serving(6)
    expect(scene.lending.status()[0]!.slots).toBe(12)
    for (const one of scene.workers) expect(one.holds.size).toBe(12)
    expect(new Set(scene.coverage())).toEqual(new Set([2]))
  })

  it('lends the slots of the dead to others at once (C1)', () => {
    const [first] = scene.serving(3)
    first!.dies()
    scene.settle()
    expect(scene.coverage().every((count) => count === 2)).toBe(true)
  })

  it('closes nothing when all die, and lends all to the first that comes back (A3)', () => {
    const before = scene.lending.status()
    for (const one of scene.serving(2)) one.dies()
    expect(scene.lending.status()).toHaveLength(before.length + 1)
    scene.join()
    scene.settle()
    expect(scene.coverage()).toEqual(everySlot(() => 1))
  })

  it('whenServing() resolves when every attach is acknowledged, not before', async () => {
    const joined = scene.join()
    const promise = scene.lending.whenServing(joined.incarnation)
    expect(await isResolved(promise)).toBe(false)
    scene.settle()
    expect(await isResolved(promise)).toBe(true)
  })

  it('whenServing() waits for a worker that was passed over because it does not answer', async () => {
    scene.serving(1)
    const stuck = scene.join()
    const promise = scene.lending.whenServing(stuck.incarnation)
    scene.clock.advance(ATTACH_DEADLINE_MS)
    scene.workers[0]!.readAll()
    expect(await isResolved(promise)).toBe(false)
    scene.settle()
    expect(stuck.slots(KEY).length).toBeGreaterThan(0)
    expect(await isResolved(promise)).toBe(true)
  })

  it('whenServing() waits for a worker that refused what was lent to it', async () => {
    scene.serving(1)
    const fresh = scene.join()
    fresh.saturates()
    const promise = scene.lending.whenServing(fresh.incarnation)
    scene.settle()
    expect(await isResolved(promise)).toBe(false)
    fresh.isSaturated = false
    scene.lending.unsaturated(fresh.incarnation)
    scene.settle()
    expect(await isResolved(promise)).toBe(true)
  })

  it('whenServing() resolves at once for a worker that listens nowhere (A12)', async () => {
    const queueWorker = scene.worker()
    scene.lending.addBorrower(queueWorker)
    expect(await isResolved(scene.lending.whenServing(queueWorker.incarnation))).toBe(true)
  })

  it('whenServing() does not resolve for a worker that is gone', async () => {
    const joined = scene.join()
    const promise = scene.lending.whenServing(joined.incarnation)
    joined.dies()
    expect(await isResolved(promise)).toBe(false)
  })

  it('withdraw() lets the others accept first, then takes the loans', async () => {
    const [old] = scene.serving(1)
    const fresh = scene.join()
    const withdrawn = scene.lending.withdraw(old!.incarnation)
    old!.readAll()
    expect(old!.slots(KEY)).toHaveLength(SLOTS)
    expect(await isResolved(withdrawn)).toBe(false)
    fresh.readAll()
    expect(await isResolved(withdrawn)).toBe(true)
    scene.settle()
    expect(old!.slots(KEY)).toEqual([])
    expect(fresh.slots(KEY)).toHaveLength(SLOTS)
  })

  it('withdraw() of the last one does not wait: its clients wait in the queue', async () => {
    const [last] = scene.serving(1)
    expect(await isResolved(scene.lending.withdraw(last!.incarnation))).toBe(true)
    scene.settle()
    expect(last!.slots(KEY)).toEqual([])
  })

  it('withdraw() does not wait for ever for others that do not answer', async () => {
    const [old] = scene.serving(1)
    scene.join()
    const withdrawn = scene.lending.withdraw(old!.incarnation)
    scene.clock.advance(WITHDRAW_DEADLINE_MS)
    expect(await isResolved(withdrawn)).toBe(true)
    expect(old!.slots(KEY)).toHaveLength(SLOTS)
  })

  it('withdraw() of a worker that dies, or that nobody knows, resolves', async () => {
    const [old] = scene.serving(1)
    scene.join()
    const withdrawn = scene.lending.withdraw(old!.incarnation)
    old!.dies()
    expect(await isResolved(withdrawn)).toBe(true)
    expect(await isResolved(scene.lending.withdraw('nobody'))).toBe(true)
  })

  it('addBorrower() after withdraw() gives the loans back (R11)', async () => {
    const [one] = scene.serving(2)
    await scene.lending.withdraw(one!.incarnation)
    scene.lending.addBorrower(one!)
    scene.settle()
    expect(one!.slots(KEY)).toHaveLength(SLOTS)
    expect(await isResolved(scene.lending.whenServing(one!.incarnation))).toBe(true)
  })

  it('takes no loan away for a worker that does not answer, and passes it over after a while', () => {
    const [first, second] = scene.serving(2)
    const stuck = scene.join()
    scene.clock.advance(ATTACH_DEADLINE_MS)
    first!.readAll()
    second!.readAll()
    expect(scene.coverage()).toEqual(everySlot(() => 2))
    expect(stuck.slots(KEY)).toEqual([])
    stuck.readAll()
    scene.settle()
    expect(stuck.slots(KEY).length).toBeGreaterThanOrEqual(2)
    expect(scene.coverage()).toEqual(everySlot(() => 2))
  })

  it('leaves the loans of a silent worker alone when there is nobody else', () => {
    const only = scene.join()
    scene.clock.advance(ATTACH_DEADLINE_MS)
    scene.settle()
    expect(only.slots(KEY)).toHaveLength(SLOTS)
    expect(only.log.filter((line) => line.startsWith('detach'))).toEqual([])
  })

  it('tells a worker nothing that is wanted again before it was asked to stop', () => {
    const [old] = scene.serving(1)
    const fresh = scene.join()
    void scene.lending.withdraw(old!.incarnation)
    scene.lending.addBorrower(old!)
    const before = old!.log.length
    fresh.readAll()
    scene.settle()
    expect(old!.log).toHaveLength(before)
    expect(scene.coverage()).toEqual(everySlot(() => 2))
  })

  it('does not take the answer to an earlier attach for that to the last one', () => {
    const [old] = scene.serving(1)
    const fresh = scene.join()
    void scene.lending.withdraw(fresh.incarnation)
    scene.lending.addBorrower(fresh)
    void scene.lending.withdraw(old!.incarnation)
    expect(fresh.log.slice(SLOTS)).toEqual(
      ['attach', 'detach', 'attach'].flatMap((word) => everySlot((slot) => `${word} ${slot}`)),
    )
    for (let messages = 0; messages < 2 * SLOTS; messages += 1) fresh.read()
    expect(fresh.slots(KEY)).toHaveLength(SLOTS)
    expect(old!.unread).toBe(0)
    scene.settle()
    expect(scene.coverage()).toEqual(everySlot(() => 1))
  })

  it('lends a saturated worker nothing until it says so (A14)', () => {
    const [full, other] = scene.serving(2)
    full!.saturates()
    scene.settle()
    expect([full!.slots(KEY).length, other!.slots(KEY).length]).toEqual([0, SLOTS])
    other!.saturates()
    scene.settle()
    expect(scene.coverage()).toEqual(everySlot(() => 0))
    full!.isSaturated = false
    scene.lending.unsaturated(full!.incarnation)
    scene.settle()
    expect(full!.slots(KEY)).toHaveLength(SLOTS)
    scene.lending.saturated('nobody')
    scene.lending.unsaturated('nobody')
  })

  it('goes elsewhere when a worker answers an attach with an error', () => {
    scene.serving(2)
    const third = scene.join()
    third.listening.clear()
    scene.settle()
    expect(scene.coverage()).toEqual(everySlot(() => 2))
    expect(third.slots(KEY)).toEqual([])
  })

  it('follows an app that closes and listens again (A11)', () => {
    const [one, two] = scene.serving(2)
    one!.closes(KEY)
    scene.settle()
    expect(two!.slots(KEY)).toHaveLength(SLOTS)
    one!.listens(KEY)
    scene.settle()
    expect(one!.slots(KEY)).toHaveLength(SLOTS)
  })

  it('notices another program on the port', async () => {
    const port = scene.lending.listen(REQUEST, KEY).name.port
    const stranger = net.createServer().listen({ port, host: '127.0.0.1', reusePort: true })
    await once(stranger, 'listening')
    scene.serving(1)
    expect(scene.notices).toEqual([expect.stringContaining(`shares port ${port}`)])
    stranger.close()
  })
})

describe('Lending.closeUnused()', () => {
  const OTHER = 'tcp:127.0.0.1:0#1'

  it('closes the listener that only workers on their way out listen on (A8)', async () => {
    const [old] = scene.serving(1)
    const fresh = scene.join(OTHER)
    scene.settle()
    scene.lending.closeUnused()
    expect(scene.lending.status()).toHaveLength(2)
    await scene.lending.withdraw(old!.incarnation)
    scene.lending.closeUnused()
    scene.clock.advance(999)
    expect(scene.lending.status()).toHaveLength(2)
    scene.clock.advance(1)
    scene.settle()
    expect(scene.lending.status()).toHaveLength(1)
    expect([...old!.forgotten]).toEqual([KEY])
    expect(fresh.slots(OTHER)).toHaveLength(SLOTS)
  })

  it('waits for a new generation that opens its port as late as the old one did (A11)', async () => {
    const old = scene.worker()
    scene.lending.listen(REQUEST, KEY)
    old.listens(KEY, 5_000)
    scene.lending.addBorrower(old)
    const fresh = scene.join(OTHER)
    scene.settle()
    await scene.lending.withdraw(old.incarnation)
    scene.lending.closeUnused()
    scene.clock.advance(6_000)
    fresh.listens(KEY)
    scene.clock.advance(60_000)
    scene.settle()
    expect(fresh.slots(KEY)).toHaveLength(SLOTS)
  })

  it.each([
    ['that is relistened on ten hours later', 300, 36_000_000, 1_600],
    ['that is opened ten hours late', 36_000_000, null, 60_000],
  ])('keeps no port long %s', async (_what, firstMs, againMs, graceMs) => {
    const old = scene.worker()
    scene.lending.listen(REQUEST, KEY)
    old.listens(KEY, firstMs)
    if (againMs !== null) {
      old.closes(KEY)
      old.listens(KEY, againMs)
    }
    scene.join(OTHER)
    scene.settle()
    await scene.lending.withdraw(old.incarnation)
    scene.lending.closeUnused()
    scene.clock.advance(graceMs - 1)
    expect(scene.lending.status()).toHaveLength(2)
    scene.clock.advance(1)
    expect(scene.lending.status()).toHaveLength(1)
  })

  it('closes nothing while nobody serves', () => {
    for (const one of scene.serving(1)) one.dies()
    scene.lending.closeUnused()
    expect(scene.lending.status()).toHaveLength(1)
  })
})

describe('Lending.closeAll()', () => {
  it('lets everybody forget, closes the sockets and waits for nothing any more', async () => {
    const [one] = scene.serving(1)
    const port = scene.lending.status()[0]!.port!
    scene.join()
    scene.lending.closeAll()
    expect(one!.log.at(-1)).toBe('forget')
    expect(scene.lending.status()).toEqual([])
    expect(scene.clock.pending).toBe(0)
    const server = net.createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  })
})
