import { describe, expect, it } from 'vitest'
import type { SupervisorMessage } from '../../src/protocol/messages.ts'
import { FLIP_DEADLINE_MS, Routing } from '../../src/supervisor/routing.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'

interface FakeWorker {
  readonly told: SupervisorMessage[]
  readonly generation: { readonly group: 'blue' | 'green' }
  readonly endpoints: ReadonlyMap<string, string>
  isUp: boolean
  isLinked: boolean
  state: string
  send(message: SupervisorMessage): void
}

function fakeWorker(group: 'blue' | 'green', endpoint: string): FakeWorker {
  const told: SupervisorMessage[] = []
  const endpoints = new Map([['tcp:3000', endpoint]])
  const send = (message: SupervisorMessage) => void told.push(message)
  return { told, generation: { group }, endpoints, isUp: true, isLinked: true, state: 'serving', send }
}

function scene() {
  const workers = [fakeWorker('blue', 'b1'), fakeWorker('blue', 'b2'), fakeWorker('green', 'g1')]
  const wakes: { at: number; wake: () => void }[] = []
  let now = 0
  const clock = {
    now: () => now,
    wakeAt: (at: number, wake: () => void) => {
      const entry = { at, wake }
      wakes.push(entry)
      return () => void wakes.splice(wakes.indexOf(entry), 1)
    },
  }
  const asHandles = workers as unknown as WorkerHandle[]
  const routing = new Routing({ clock, processes: () => asHandles, groupSecret: null })
  const passTime = (ms: number) => {
    now += ms
    for (const { at, wake } of wakes.slice()) if (at <= now) wake()
  }
  return { workers, handles: asHandles, routing, passTime, wakes }
}

function tableOf(worker: FakeWorker | undefined) {
  const last = worker?.told.at(-1)
  return last?.type === 'route' ? last.table : undefined
}

describe('Routing', () => {
  it('tells every worker one table and is over when each has answered (B3)', async () => {
    const { workers, handles, routing, passTime, wakes } = scene()
    const done = routing.commit('green')
    expect(workers.map((worker) => tableOf(worker))).toEqual(
      Array.from({ length: 3 }, () => ({
        epoch: 1,
        active: 'green',
        peers: { 'tcp:3000': { blue: ['b1', 'b2'], green: ['g1'] } },
        groupSecret: null,
      })),
    )
    passTime(3)
    for (const worker of handles) routing.answered(worker, 1)
    expect(await done).toEqual({ tookMs: 3, silent: [], isOvertaken: false })
    expect(wakes).toEqual([])
  })

  it('does not take an answer to an older table for one to this', async () => {
    const { handles, routing, passTime } = scene()
    const done = routing.commit('green')
    for (const worker of handles) routing.answered(worker, 0)
    passTime(FLIP_DEADLINE_MS)
    expect((await done).silent).toEqual(handles)
  })

  it('names those that are silent at the deadline, and waits for nobody who is gone', async () => {
    const { workers, handles, routing, passTime } = scene()
    const done = routing.commit('green')
    const [first, second, third] = handles
    if (!first || !second || !third) throw new Error('three workers')
    routing.answered(first, 1)
    Object.assign(workers[1] ?? {}, { state: 'exited', isUp: false, isLinked: false })
    routing.gone(second)
    passTime(FLIP_DEADLINE_MS)
    expect((await done).silent).toEqual([third])
  })

  it('waits for a worker whose link is down, and for none that cannot answer a request yet or any more', async () => {
    const { workers, handles, routing, passTime } = scene()
    const [first, second, third] = workers
    Object.assign(first ?? {}, { isLinked: false })
    Object.assign(second ?? {}, { state: 'starting', isUp: false })
    Object.assign(third ?? {}, { state: 'stopping', isUp: false })
    const done = routing.commit('green')
    expect(tableOf(second)).toMatchObject({ active: 'green' })
    passTime(FLIP_DEADLINE_MS)
    expect((await done).silent).toEqual([handles[0]])
  })

  it('names nobody silent who is asked again before the deadline', async () => {
    const { handles, routing, passTime } = scene()
    const overtaken = routing.commit('green')
    passTime(1)
    const done = routing.commit('blue')
    expect(await overtaken).toEqual({ tookMs: 1, silent: [], isOvertaken: true })
    for (const worker of handles) routing.answered(worker, 2)
    expect(await done).toMatchObject({ silent: [], isOvertaken: false })
  })

  it('tells the others when a worker comes or goes, and nothing when nothing has changed', async () => {
    const { workers, handles, routing } = scene()
    const done = routing.commit('blue')
    for (const worker of handles) routing.answered(worker, 1)
    await done
    routing.refresh()
    expect(workers[0]?.told).toHaveLength(1)
    Object.assign(workers[2] ?? {}, { isUp: false })
    routing.refresh()
    expect(tableOf(workers[0])).toMatchObject({ epoch: 2, active: 'blue', peers: { 'tcp:3000': { green: [] } } })
  })

  it('goes on from the highest epoch that workers of an earlier supervisor were told (B11)', async () => {
    const { workers, handles, routing } = scene()
    routing.adopt({ epoch: 7, active: 'green' })
    routing.adopt({ epoch: 6, active: 'blue' })
    expect(routing.adopted).toEqual({ epoch: 7, active: 'green' })
    const done = routing.commit('green')
    expect(tableOf(workers[0])).toMatchObject({ epoch: 8 })
    for (const worker of handles) routing.answered(worker, 8)
    await done
  })

  it('ends all routing when one group is left', async () => {
    const { workers, handles, routing } = scene()
    const done = routing.commit('green')
    for (const worker of handles) routing.answered(worker, 1)
    await done
    routing.end()
    expect(workers.map((worker) => tableOf(worker))).toEqual([null, null, null])
    expect(routing.isInForce).toBe(false)
  })
})
