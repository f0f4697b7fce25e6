// The words of a `supervise start` again, from what was typed for a command that takes the same flags.

import { Option, type Command } from 'commander'
import { flagSpecs } from '../config/options.ts'
import type { Invocation } from './invocation.ts'
import { STOP_FLAGS } from './stop-flags.ts'

const ADMIN_FLAGS = ['--admin <address>', '--admin-token-file <file>', '--admin-name <name>'] as const

/** Target, flags, and what stood after `--`; nothing that is a default. */
export function startWords(target: string | null, command: Command, { afterDashes }: Invocation): readonly string[] {
  const flags = [...flagSpecs().map((spec) => spec.flags), ...ADMIN_FLAGS, ...STOP_FLAGS]
  const words = flags.flatMap((text) => wordsOf(new Option(text), command))
  return [...(target === null ? [] : [target]), ...words, ...(afterDashes === null ? [] : ['--', ...afterDashes])]
}

function wordsOf(option: Option, command: Command): readonly string[] {
  const name = option.attributeName()
  if (command.getOptionValueSource(name) !== 'cli') return []
  const value: unknown = command.getOptionValue(name)
  const flag = option.long ?? option.short ?? ''
  if (typeof value === 'boolean') return value !== option.negate ? [flag] : []
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.flatMap((one) => [flag, String(one)])
}
