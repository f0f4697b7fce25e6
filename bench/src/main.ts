// `npm run bench`: all measures but the thousand reloads, a table, and bench/results/latest.json.

import { keepAlive } from './measures/keep-alive.ts'
import { blockedWorker } from './measures/blocked-worker.ts'
import { fairness } from './measures/fairness.ts'
import { idleCpu } from './measures/idle-cpu.ts'
import { killedWorker } from './measures/killed-worker.ts'
import { memory } from './measures/memory.ts'
import { oneRequest } from './measures/one-request.ts'
import { reloads } from './measures/reloads.ts'
import { start } from './measures/start.ts'
import { statusCommand } from './measures/status-command.ts'
import { helpOf, parseOptions, type Options } from './options.ts'
import { writePage } from './page.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const MEASURES = [
  keepAlive,
  oneRequest,
  fairness,
  blockedWorker,
  reloads,
  start,
  killedWorker,
  statusCommand,
  memory,
  idleCpu,
]

const LIMIT_MS = 20 * 60_000

await main(parseOptions(process.argv.slice(2)))

async function main(options: Options): Promise<void> {
  if (options.help) return void process.stdout.write(helpOf('bench'))
  if (options.write) {
    const written = writePage()
    process.stdout.write(`docs/benchmarks.md: ${written.join(', ') || 'nothing, since there are no results yet'}\n`)
    return
  }
  const measures = MEASURES.filter(({ id }) => options.only === null || options.only.includes(id))
  const result = await runMeasures(measures, options, LIMIT_MS)
  // Only a whole run may be what the page shows.
  const isWhole = options.only === null && !options.quick && result.measures.every(({ failure }) => failure === null)
  printResult(result, writeResult(isWhole ? 'latest' : 'partial', result))
}
