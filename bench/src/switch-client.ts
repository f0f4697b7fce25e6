// The load client of the end-to-end tests, which is told of each switch between two releases, and says how many requests
// were answered by the one that they could not reach any more.
//
//   node bench/src/switch-client.ts '<a LoadRequest>' '<the release that has the traffic at first>'
//
// On stdin it takes one `Switch` a line, as JSON. SIGTERM ends it; its last line is the report with the verdict in it.

import { createInterface } from 'node:readline'
import { Http1Slot } from '../../test/support/load/http1-slot.ts'
import { planOf, type LoadRequest } from '../../test/support/load/options.ts'
import { Recorder } from '../../test/support/load/recorder.ts'
import { Run } from '../../test/support/load/run.ts'
import { AnswerJudge, type Switch } from './answer-judge.ts'
import { offsetOfPerformanceNow } from './monotonic.ts'

const PROGRESS_MS = 200

class JudgingRecorder extends Recorder {
  readonly #judge: AnswerJudge
  readonly #offset = offsetOfPerformanceNow()

  constructor(judge: AnswerJudge) {
    super()
    this.#judge = judge
  }

  override succeeded(lane: string, sentAt: number, pid: string | null, release: string | null): void {
    super.succeeded(lane, sentAt, pid, release)
    const answeredAt = performance.now() + this.#offset
    this.#judge.answered({ sentAt: sentAt + this.#offset, answeredAt, release: release ?? 'none' })
  }
}

const request: LoadRequest = JSON.parse(process.argv[2] ?? '{"lanes":[]}')
const plan = planOf(request)
const judge = new AnswerJudge(process.argv[3] ?? '')
const run = new Run(plan, new JudgingRecorder(judge))
process.on('SIGTERM', () => run.stop('signal'))
createInterface(process.stdin).on('line', (line) => {
  const told: Switch = JSON.parse(line)
  judge.switched(told)
})

for (const lane of plan.lanes) {
  if (lane.kind !== 'once' && lane.kind !== 'keepAlive') throw new TypeError(`Cannot judge the lane "${lane.kind}"`)
  for (let slot = 0; slot < lane.connections; slot++) new Http1Slot(run, lane).start()
}

const progress = () => {
  process.stdout.write(`${JSON.stringify({ type: 'progress', ok: run.recorder.ok, failed: run.recorder.failed })}\n`)
}
const ticker = setInterval(progress, PROGRESS_MS)
const report = await run.ended
clearInterval(ticker)
const line = JSON.stringify({ type: 'report', ...report, verdict: judge.close() })
process.stdout.write(`${line}\n`, () => process.exit(0))
