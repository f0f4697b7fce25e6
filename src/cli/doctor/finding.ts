// What a check has to say: how it is, and where it is not well also why that matters and what to type.

import type { Facts } from '../../control/checkup/facts.ts'
import type { SystemdFacts } from './unit-facts.ts'

/** `problem` hurts now, or at the next start; `warning` hurts when something else happens; `note` is good to know. */
export type Level = 'fine' | 'note' | 'warning' | 'problem'

export interface Finding {
  readonly level: Level
  /** Such as `instance web`, `unit web.service`, `Node.js`. */
  readonly about: string
  readonly says: string
  readonly why?: string
  /** What to do, with what to type in backquotes. */
  readonly fix?: string
}

export interface HostFacts extends Facts {
  /** The instance that alone is looked at; null for all of this user. */
  readonly asked: string | null
  readonly systemd: SystemdFacts
}

export interface Check {
  readonly name: string
  readonly judge: (facts: HostFacts) => readonly Finding[]
}

interface Remedy {
  readonly why: string
  readonly fix: string
}

export function fine(about: string, says: string): Finding {
  return { level: 'fine', about, says }
}

export function note(about: string, says: string, remedy: Partial<Remedy> = {}): Finding {
  return { level: 'note', about, says, ...remedy }
}

export function warning(about: string, says: string, remedy: Remedy): Finding {
  return { level: 'warning', about, says, ...remedy }
}

export function problem(about: string, says: string, remedy: Remedy): Finding {
  return { level: 'problem', about, says, ...remedy }
}

/** Those that are not well, or else one that says that all is. */
export function orFine(findings: readonly Finding[], about: string, says: string): readonly Finding[] {
  return findings.length === 0 ? [fine(about, says)] : findings
}
