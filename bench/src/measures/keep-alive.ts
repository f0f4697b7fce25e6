// 1. Requests a second on 64 keep-alive connections. With one worker this shows what the agent in the worker costs.

import type { Bench, Measure } from '../bench.ts'
import { atLeastTimes, type Figure } from '../figure.ts'
import { cpuFigure, measureThroughput, throughputFigure } from './throughput.ts'

export const keepAlive: Measure = {
  id: 1,
  title: 'Requests on keep-alive connections',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const turns = bench.pace.rounds
    const two = await measureThroughput(bench, {
      contenders: ['cluster', 'pm2', 'supervise'],
      workers: 2,
      close: false,
      turns,
    })
    // Twice as many turns: a difference of 3 % is looked for.
    const one = await measureThroughput(bench, {
      contenders: ['node', 'supervise'],
      workers: 1,
      close: false,
      turns: turns * 2,
    })
    return [
      throughputFigure('keep-alive, 2 workers', two, (rates) => [atLeastTimes(rates, 1, 'cluster')]),
      throughputFigure('keep-alive, 1 worker', one, (rates) => [atLeastTimes(rates, 0.97, 'node')]),
      cpuFigure('keep-alive, 2 workers', two),
      cpuFigure('keep-alive, 1 worker', one),
    ]
  },
}
