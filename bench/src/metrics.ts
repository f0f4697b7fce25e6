// `npm run bench:metrics`: what it costs to count every request, and what a scrape takes.

import { accounting } from './measures/accounting.ts'
import { scrapes } from './measures/scrapes.ts'
import { helpOf, parseOptions } from './options.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const MEASURES = [accounting, scrapes]
const LIMIT_MS = 15 * 60_000

const options = parseOptions(process.argv.slice(2))
if (options.help) process.stdout.write(helpOf('bench:metrics'))
else {
  const measures = MEASURES.filter(({ id }) => options.only === null || options.only.includes(id))
  const result = await runMeasures(measures, options, LIMIT_MS)
  const isWhole = options.only === null && !options.quick && result.measures.every(({ failure }) => failure === null)
  printResult(result, writeResult(isWhole ? 'metrics' : 'partial', result))
}
