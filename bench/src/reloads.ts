// `npm run bench:reloads -- [count]`: so many reloads (1,000 when not said) of an app of 2 workers under mixed load of 64
// connections, and what of it is left in the supervisor.

import { wholeNumber } from './options.ts'
import { manyReloads } from './measures/many-reloads.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const count = wholeNumber(process.argv[2] ?? '1000', 'the count', 100_000)

/** A reload takes about a second; four are a bound. */
const limitMs = 60_000 + count * 4_000

const result = await runMeasures([manyReloads(count)], { rounds: 1, quick: false }, limitMs)
const isWhole = count >= 1_000 && result.measures.every(({ failure }) => failure === null)
printResult(result, writeResult(isWhole ? 'reloads' : 'partial', result))
