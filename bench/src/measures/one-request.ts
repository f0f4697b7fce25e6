// 2. Requests a second when every request has a connection of its own: who accepts is what matters here.

import type { Bench, Measure } from '../bench.ts'
import { atLeastTimes, type Figure } from '../figure.ts'
import { cpuFigure, measureThroughput, throughputFigure } from './throughput.ts'

export const oneRequest: Measure = {
  id: 2,
  title: 'One request a connection',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const measured = await measureThroughput(bench, {
      contenders: ['node', 'cluster', 'pm2', 'supervise'],
      workers: 2,
      close: true,
      turns: bench.pace.rounds,
    })
    const what = 'one request a connection, 2 workers (plain node: 1)'
    return [
      throughputFigure(what, measured, (rates) => [atLeastTimes(rates, 1.9, 'cluster'), atLeastTimes(rates, 2, 'pm2')]),
      cpuFigure(what, measured),
    ]
  },
}
