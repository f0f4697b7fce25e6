// docs/reference/machines.md: the state machines of core/, drawn from their tables.

import { SEAT_TRANSITIONS } from '../src/core/reload.ts'
import { ROLLOUT_TRANSITIONS } from '../src/core/rollout.ts'
import { TRANSITIONS } from '../src/core/worker-lifecycle.ts'

type Table = Readonly<Record<string, Readonly<Record<string, string | null>>>>

export function renderMachinesPage(): string {
  return `# Machines

Written from the tables in \`src/core/\` by \`node scripts/generate-docs.ts\`; a test fails when the two differ.

## The life of one process

\`src/core/worker-lifecycle.ts\`. An event that is not drawn changes nothing in that state.

${mermaid(TRANSITIONS)}

## Replacing one worker

\`src/core/reload.ts\`: one of these for each worker id that is replaced. When the old processes are let go, and when everything goes back, is
decided over all of them (the rules at the head of that file).

${mermaid(SEAT_TRANSITIONS)}

## Moving to another release

\`src/core/rollout.ts\`: one for each deploy. A pause stops the deadline and holds the flip; \`awaiting\` is left at once when the release is to be
promoted by itself. An arrow from a state to itself gives its command again, after a restart of the supervisor.

${mermaid(ROLLOUT_TRANSITIONS)}
`
}

function mermaid(table: Table): string {
  const arrows = Object.entries(table).flatMap(([from, row]) => arrowsFrom(from, row))
  return ['```mermaid', 'stateDiagram-v2', ...arrows, '```'].join('\n')
}

/** Events that lead to the same state share an arrow. */
function arrowsFrom(from: string, row: Readonly<Record<string, string | null>>): string[] {
  const byTarget = new Map<string, string[]>()
  for (const [event, to] of Object.entries(row)) if (to !== null) byTarget.set(to, [...(byTarget.get(to) ?? []), event])
  return [...byTarget].map(([to, events]) => `  ${from} --> ${to}: ${events.join(', ')}`)
}
