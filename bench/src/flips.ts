// `npm run bench:flips -- [count]`: so many flips (1,000 when not said) between two releases of 2 workers each at full speed, as
// many at a third of it, and what of it is left in the supervisor.

import { manyFlips } from './measures/flips.ts'
import { wholeNumber } from './options.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const count = wholeNumber(process.argv[2] ?? '1000', 'the count', 100_000)

/** A flip and the pause behind it take about a tenth of a second; half a one is a bound. */
const limitMs = 180_000 + 2 * count * 500

const result = await runMeasures([manyFlips(count)], { rounds: 1, quick: false }, limitMs)
const isWhole = count >= 1_000 && result.measures.every(({ failure }) => failure === null)
printResult(result, writeResult(isWhole ? 'flips' : 'partial', result))
