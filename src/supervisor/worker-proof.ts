// Is a process the worker that somebody says it is? Pid and start time tell processes apart; what proves that one is ours
// is the incarnation in the environment that it was forked with, which only its owner can read.

import { readFileSync } from 'node:fs'
import { AGENT_ENV } from '../protocol/messages.ts'

/** What a command is forked with in the place of an agent's settings. */
export const INCARNATION = 'SUPERVISE_INCARNATION'

/** Null when it cannot be known: there is no `/proc`, or the process has taken another user's rights. */
export function isIncarnation(pid: number, incarnation: string): boolean | null {
  const variables = variablesOf(pid)
  if (variables === null) return null
  const settings = valueIn(variables, AGENT_ENV.settings)
  return settings !== null && incarnationIn(settings) === incarnation
}

/** The same of a command. Many write their title over their environment, so that it has gone means nothing. */
export function isCommandIncarnation(pid: number, incarnation: string): boolean | null {
  const found = valueIn(variablesOf(pid) ?? [], INCARNATION)
  return found === null ? null : found === incarnation
}

/** With what a process was forked; null where that cannot be known. */
export function variablesOf(pid: number): readonly string[] | null {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return null
  }
}

export function valueIn(variables: readonly string[], name: string): string | null {
  return variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1) ?? null
}

/** Of an agent's settings. */
export function incarnationIn(settings: string): unknown {
  try {
    const value: unknown = JSON.parse(settings)
    return typeof value === 'object' && value !== null && 'incarnation' in value ? value.incarnation : null
  } catch {
    return null
  }
}
