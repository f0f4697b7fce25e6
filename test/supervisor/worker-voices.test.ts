import { expect, it } from 'vitest'
import { WorkerVoices } from '../../src/supervisor/worker-voices.ts'
import { KEY, REQUEST, Scene } from './lending-scene.ts'

it('hello() of a worker whose end was seen already is not waited for to hand its sockets over (A3, S2)', () => {
  const { lending, clock } = new Scene()
  const voices = new WorkerVoices(lending, {} as never, clock, {} as never)
  const listeners = [{ key: KEY, request: REQUEST, name: {}, listening: true, held: [0, 1], attached: [0] }]
  const hello = { type: 'hello', again: true, draining: false, listeners }
  const gone = { state: 'exited', pid: 7, incarnation: 'w0' }
  expect(voices.hello(gone as never, hello as never, { close() {} } as never)).toBe(false)
  expect(lending.countMissingSlots()).toBe(0)
  expect(lending.status()).toEqual([])
})
