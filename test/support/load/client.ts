// The load client: a process of its own, so that nothing of the product can forgive it anything.
//
//   node test/support/load/client.ts '{"target":{"host":"127.0.0.1","port":3000},"lanes":[{"kind":"keepAlive","connections":64}]}'
//
// Its options are a `LoadRequest`; its last line on stdout is a `Report` as JSON. SIGTERM ends the run early: nothing new is
// sent, what is under way is waited for (until its time-out), then it reports.

import { Http1Slot } from './http1-slot.ts'
import { Http2Slot } from './http2-slot.ts'
import { planOf, type Lane, type LaneKind, type LoadRequest } from './options.ts'
import { Run } from './run.ts'
import { TcpEchoSlot } from './tcp-echo-slot.ts'
import { WebSocketSlot } from './websocket-slot.ts'

const PROGRESS_MS = 200

const SLOTS: { readonly [Kind in LaneKind]: new (run: Run, lane: Lane) => { start(): void } } = {
  once: Http1Slot,
  keepAlive: Http1Slot,
  pipelined: Http1Slot,
  webSocket: WebSocketSlot,
  http2: Http2Slot,
  tcpEcho: TcpEchoSlot,
}

const request: LoadRequest = JSON.parse(process.argv[2] ?? '{"lanes":[]}')
const plan = planOf(request)
const run = new Run(plan)
process.on('SIGTERM', () => run.stop('signal'))
process.on('SIGINT', () => run.stop('signal'))

for (const lane of plan.lanes) {
  for (let slot = 0; slot < lane.connections; slot++) new SLOTS[lane.kind](run, lane).start()
}

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const progress = () => print({ type: 'progress', ok: run.recorder.ok, failed: run.recorder.failed })
const ticker = plan.progress ? setInterval(progress, PROGRESS_MS) : undefined

const report = await run.ended
clearInterval(ticker)
print({ type: 'report', ...report })
// Sockets that a server leaves open must not keep a finished client alive.
setTimeout(() => process.exit(0), 250).unref()
