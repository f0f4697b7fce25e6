// Processes that nobody has waited for.

import type { Finding, HostFacts } from './finding.ts'
import { fine, note, problem, warning } from './finding.ts'

/** A few may be ending just now. */
const MANY = 20

export function judgeProcesses({ zombies, instances }: HostFacts): readonly Finding[] {
  if (instances.length === 0) return []
  if (zombies.length === 0) return [fine('processes', 'no zombies')]
  const parents = [...new Set(zombies.map(({ parent }) => parent))]
  const says = `${zombies.length} ${zombies.length === 1 ? 'zombie' : 'zombies'}, of ${parents.map(String).join(', ')}`
  const remedy = {
    why: 'A process that has ended keeps its pid until its parent waits for it; without pids nothing can be started.',
    fix: 'An app that starts processes must wait for them. `supervise restart` of that worker frees them.',
  }
  if (parents.includes(1))
    return [
      problem('processes', says, {
        ...remedy,
        fix: 'The first process of a container inherits orphans: run it with an init (`docker run --init`, tini).',
      }),
    ]
  return [zombies.length >= MANY ? warning('processes', says, remedy) : note('processes', says, remedy)]
}
