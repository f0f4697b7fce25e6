// `npm run bench:faults`: what clients see of the deaths of workers and supervisors, beside PM2 in one run.

import { kills } from './measures/kills.ts'
import { helpOf, parseOptions } from './options.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const LIMIT_MS = 15 * 60_000

const options = parseOptions(process.argv.slice(2))
if (options.help) process.stdout.write(helpOf('bench:faults'))
else {
  const result = await runMeasures([kills], { ...options, rounds: 1 }, LIMIT_MS)
  const isWhole = !options.quick && result.measures.every(({ failure }) => failure === null)
  printResult(result, writeResult(isWhole ? 'faults' : 'partial', result))
}
