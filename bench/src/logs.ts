// `npm run bench:logs`: what 10,000 log lines a second cost, beside PM2. With --quick, one short turn that says little.

import { logLines } from './measures/log-lines.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const quick = process.argv.includes('--quick')
const result = await runMeasures([logLines], { rounds: quick ? 1 : 5, quick }, 15 * 60_000)
const isWhole = !quick && result.measures.every(({ failure }) => failure === null)
printResult(result, writeResult(isWhole ? 'logs' : 'partial', result))
