// Apps of the usual frameworks, as they are, lose nothing through a reload.

import { io } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { IS_OTHER_NODE } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing } from '../support/load.ts'
import type { LaneRequest } from '../support/load/options.ts'
import { fixture } from '../support/releases.ts'
import { QUICK, startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const MIX = mixedLanes({ webSockets: 0 })
const HTTP2: LaneRequest = { kind: 'http2', connections: 8, postShare: 0.25, expect: { text: 'hello\n' } }

const APPS: readonly (readonly [script: string, lanes: readonly LaneRequest[]])[] = [
  ['express.js', MIX],
  ['fastify.ts', MIX],
  ['koa.js', MIX],
  ['esm.mjs', MIX],
  ['top-level-await.mjs', MIX],
  ['typescript.ts', MIX],
  ['ws.js', mixedLanes()],
  // In a worker it is no primary, so it forks nothing and serves.
  ['own-cluster.js', MIX],
  ['hello-https.js', MIX.map((lane) => Object.assign({}, lane, { tls: true }))],
  ['hello-h2c.js', [HTTP2]],
  ['hello-h2.js', [{ ...HTTP2, tls: true }]],
]

/** Of the others it depends on their own code, and not on Node's, whether they run. */
const OF_NODE: ReadonlySet<string> = new Set([
  'express.js',
  'esm.mjs',
  'top-level-await.mjs',
  'typescript.ts',
  'ws.js',
  'hello-h2.js',
])
const CHOSEN = IS_OTHER_NODE ? APPS.filter(([script]) => OF_NODE.has(script)) : APPS

describe('supervise reload', () => {
  it.each(CHOSEN)('%s loses nothing', async (script, lanes) => {
    const { supervise, load } = await startUnderLoad(fixture(script), ['-i', '2'], { lanes, ratePerSecond: 600 })
    const before = await supervise.pids()
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await load.answers(300)
    const report = await load.stop()
    mustHaveLostNothing(report)
    const after = await supervise.pids()
    expect(report.pids.length).toBeGreaterThanOrEqual(2)
    expect(after.some((pid) => before.includes(pid))).toBe(false)
    await supervise.stop()
  })

  it.skipIf(IS_OTHER_NODE)(
    'Socket.IO clients get the same answers, and come back to the new workers by themselves',
    async () => {
      const port = await freePort()
      const supervise = await startSupervise([fixture('socketio.js'), '-i', '2', '--port', String(port), ...QUICK])
      const before = await supervise.pids()
      const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnectionDelay: 50 })
      onTestFinished(() => void socket.close())
      let pid = 0
      socket.on('who', (who: { readonly pid: number }) => (pid = who.pid))
      await until(() => before.includes(pid), 5_000, 'connected to an old worker')

      expect(await supervise.cli('reload')).toMatchObject({ code: 0 })

      await until(() => pid !== 0 && !before.includes(pid), 15_000, 'connected to a new worker')
      await expect(socket.timeout(5_000).emitWithAck('echo', 'there and back')).resolves.toBe('there and back')
      await supervise.stop()
    },
  )
})
