import { describe, expect, it } from 'vitest'

import { connect, get } from './client.ts'
import { good } from './exchanges.ts'
import { withWorker } from './run-cases.ts'

describe.concurrent('setMaxRequestsPerConnection()', () => {
  it(
    'L3 the n-th response says close',
    withWorker('http', { MAX_REQUESTS: '3' }, async (worker) => {
      const client = await connect(worker)
      for (const isClose of [false, false, true]) {
        client.write(get('/'))
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await good(client, isClose)
      }
      await client.finished()
      expect(worker.runs).toHaveLength(3)
    }),
  )

  it(
    'L3 pipelined requests beyond the limit are answered, and the last says close',
    withWorker('http', { MAX_REQUESTS: '2' }, async (worker) => {
      const client = await connect(worker)
      client.write(Array.from({ length: 5 }, (_, i) => get(`/sync?n=${i}`)).join(''))
      // oxlint-disable-next-line no-await-in-loop -- in their order
      for (let i = 0; i < 4; i++) await good(client, false)
      await good(client, true)
      await client.finished()
      expect(worker.runs).toHaveLength(5)
    }),
  )
})
