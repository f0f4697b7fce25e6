// Is a process the worker that somebody says it is? Pid and start time tell processes apart; what proves that one is ours
// is the incarnation in the environment that it was forked with, which only its owner can read.

import { readFileSync } from 'node:fs'
import { AGENT_ENV } from '../protocol/messages.ts'

/** Null when it cannot be known: there is no `/proc`, or the process has taken another user's rights. */
export function isIncarnation(pid: number, incarnation: string): boolean | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return null
  }
  const begin = `${AGENT_ENV.settings}=`
  const settings = text.split('\0').find((variable) => variable.startsWith(begin))
  return settings !== undefined && incarnationIn(settings.slice(begin.length)) === incarnation
}

function incarnationIn(settings: string): unknown {
  try {
    const value: unknown = JSON.parse(settings)
    return typeof value === 'object' && value !== null && 'incarnation' in value ? value.incarnation : null
  } catch {
    return null
  }
}
