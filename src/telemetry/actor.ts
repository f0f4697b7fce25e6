// Who or what made something happen, from the cause in words: for programs, which should not have to read it. Pure.

import type { EventRecord } from '../control/messages.ts'

type Actor = EventRecord['actor']

/** First word of a cause, and what it says. Whatever else is there is the supervisor's own doing. */
const KINDS: Readonly<Record<string, Actor['kind']>> = {
  signal: 'signal',
  command: 'command',
  control: 'command',
  policy: 'policy',
  option: 'policy',
  watch: 'watch',
  hook: 'hook',
  worker: 'worker',
  system: 'system',
}

/** `command by root: nightly` is a command of root. */
export function actorOf(cause: string): Actor {
  const [word = '', ...rest] = cause.split(' ')
  const kind = KINDS[word]
  if (kind === undefined) return { kind: 'supervisor', name: null }
  const words = rest.join(' ')
  if (kind !== 'command') return { kind, name: words === '' ? null : words }
  return { kind, name: /^by ([^:]+)/.exec(words)?.[1] ?? null }
}
