// `npm run bench:releases`: what moving between releases costs, and how that is done with what people use today.

import { flipBack } from './measures/flip-back.ts'
import { routerCost } from './measures/router-cost.ts'
import { sideBySide } from './measures/side-by-side.ts'
import { helpOf, parseOptions } from './options.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const MEASURES = [flipBack, routerCost, sideBySide]
const LIMIT_MS = 30 * 60_000

const options = parseOptions(process.argv.slice(2))
if (options.help) process.stdout.write(helpOf('bench:releases'))
else {
  const measures = MEASURES.filter(({ id }) => options.only === null || options.only.includes(id))
  const result = await runMeasures(measures, options, LIMIT_MS)
  const isWhole = options.only === null && !options.quick && result.measures.every(({ failure }) => failure === null)
  printResult(result, writeResult(isWhole ? 'releases' : 'partial', result))
}
