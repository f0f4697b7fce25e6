// How the whole instance ends, as flags of `start`; a supervisor in the background gets them as environment variables.

import type { Command } from 'commander'
import { duration } from '../config/parsers.ts'
import type { StopTiming } from '../control/run.ts'
import { wrongUsage } from '../errors/cli.ts'
import type { Environment } from './invocation.ts'

export interface StopFlags {
  readonly stopDelay?: string
  readonly stopBudget?: string
}

export const STOP_FLAGS = ['--stop-delay <duration>', '--stop-budget <duration>'] as const

const DELAY = 'SUPERVISE_STOP_DELAY'
const BUDGET = 'SUPERVISE_STOP_BUDGET'

export function addStopFlags(command: Command): void {
  const [delay, budget] = STOP_FLAGS
  command
    .option(delay, 'serves on for so long after SIGTERM, with /readyz at 503, before it drains (default: 0)')
    .option(budget, 'what whoever stops it allows for all of that; drains are shortened to fit (default: no limit)')
}

export function stopVariables({ stopDelay, stopBudget }: StopFlags): Record<string, string> {
  return {
    ...(stopDelay !== undefined && { [DELAY]: stopDelay }),
    ...(stopBudget !== undefined && { [BUDGET]: stopBudget }),
  }
}

export function readStopTiming(environment: Environment): StopTiming {
  const delayMs = read('stop delay', environment[DELAY], '5s') ?? 0
  const budgetMs = read('stop budget', environment[BUDGET], '30s')
  return { delayMs, budgetMs: budgetMs === 0 ? null : budgetMs }
}

function read(what: string, text: string | undefined, example: string): number | null {
  if (text === undefined || text === '') return null
  const parsed = duration(example, 'zero').parse(text, '')
  if (parsed.ok) return parsed.value
  const problem = parsed.refusals[0]?.problem ?? ''
  throw wrongUsage(`use "${text}" as ${what}: it is no duration`, `Write one such as ${example}: ${problem}.`)
}
