// `npm run bench:deaths -- [count]`: so many SIGKILLs of the supervisor (200 when not said), in the background and under systemd, and
// half as many restarts and reloads by systemctl and upgrades, all of it under load.

import { detachedKills } from './measures/detached-kills.ts'
import { underSystemd } from './measures/under-systemd.ts'
import { upgrades } from './measures/upgrades.ts'
import { wholeNumber } from './options.ts'
import { printResult } from './print.ts'
import { writeResult } from './result.ts'
import { runMeasures } from './run.ts'

const count = wholeNumber(process.argv[2] ?? '200', 'the count', 10_000)
const half = Math.ceil(count / 2)

/** A turn takes from one to three seconds; ten are a bound. */
const limitMs = 120_000 + (2 * count + 3 * half) * 10_000

const measures = [detachedKills(count), underSystemd({ kills: count, restarts: half, reloads: half }), upgrades(half)]
const result = await runMeasures(measures, { rounds: 1, quick: false }, limitMs)
const isWhole = count >= 200 && result.measures.every(({ failure }) => failure === null)
printResult(result, writeResult(isWhole ? 'deaths' : 'partial', result))
