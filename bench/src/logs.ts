// `npm run bench:logs`: what 10,000 log lines a second cost, beside PM2, and what a reader that has stopped does.

import { logLines } from './measures/log-lines.ts'
import { stoppedReader } from './measures/stopped-reader.ts'
import { helpOf, parseOptions } from './options.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const MEASURES = [logLines, stoppedReader]
const LIMIT_MS = 15 * 60_000

const options = parseOptions(process.argv.slice(2))
if (options.help) process.stdout.write(helpOf('bench:logs'))
else {
  const measures = MEASURES.filter(({ id }) => options.only === null || options.only.includes(id))
  const result = await runMeasures(measures, options, LIMIT_MS)
  const isWhole = options.only === null && !options.quick && result.measures.every(({ failure }) => failure === null)
  printResult(result, writeResult(isWhole ? 'logs' : 'partial', result))
}
