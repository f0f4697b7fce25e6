// What can be typed behind `npm run bench --` and `npm run bench:releases --`.

import { parseArgs } from 'node:util'

export interface Options {
  /** Numbers of measures; null is all. */
  readonly only: readonly number[] | null
  readonly rounds: number
  readonly quick: boolean
  readonly write: boolean
  readonly help: boolean
}

/** Of one npm script. */
export function helpOf(script: string): string {
  return `npm run ${script} -- [options]

  --only 1,2     only these measures
  --rounds <n>   turns that every contender gets (default 5)
  --quick        everything short: to try it out, not for figures
  --write        measure nothing; put the last results into docs/benchmarks.md
`
}

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { quick, write, help } = values
  const only = values.only?.split(',').map((text) => wholeNumber(text, '--only', 20)) ?? null
  const rounds = values.rounds === undefined ? (quick ? 1 : 5) : wholeNumber(values.rounds, '--rounds', 50)
  return { only, rounds, quick, write, help }
}

export function wholeNumber(text: string, flag: string, most: number): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw new RangeError(`Cannot use ${flag} ${text}: it takes whole numbers from 1 to ${most}`)
}
