// The options of an app as flags of `start` and `check`, from the table in config/options.ts.

import { Option, type Command } from 'commander'
import type { FlagValues } from '../config/app-config.ts'
import { flagSpecs } from '../config/options.ts'
import type { TargetRequest } from '../config/sources.ts'
import type { Invocation } from './invocation.ts'

export function addAppFlags(command: Command): void {
  for (const { flags, description, group, repeatable } of flagSpecs()) {
    const option = new Option(flags, description).helpGroup(`${group}:`)
    command.addOption(repeatable ? option.argParser(collect) : option)
  }
}

/** For a flag that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** What was typed, and nothing that is a default: a default must not win over the config file. */
export function flagValues(command: Command, afterDashes: readonly string[] | null): FlagValues {
  const values: Record<string, FlagValues[string]> = {}
  for (const { flags, key } of flagSpecs()) {
    const name = new Option(flags).attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    // Commander's values are text, true or false, or what `collect` gathered.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    values[key] = command.getOptionValue(name) as FlagValues[string]
  }
  return afterDashes === null ? values : { ...values, args: afterDashes }
}

export function targetRequest(target: string | null, command: Command, invocation: Invocation): TargetRequest {
  const { afterDashes, directory } = invocation
  const environment = Object.entries(invocation.environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const flags = isCommand(target, afterDashes)
    ? { ...flagValues(command, null), command: afterDashes }
    : flagValues(command, afterDashes)
  return { target, flags, directory, environment: Object.fromEntries(environment) }
}

/** Where nothing is named, words after `--` are a program; flags are arguments for what is found here. */
function isCommand(target: string | null, afterDashes: readonly string[] | null): afterDashes is readonly string[] {
  const [first] = afterDashes ?? []
  return target === null && first !== undefined && !first.startsWith('-')
}
