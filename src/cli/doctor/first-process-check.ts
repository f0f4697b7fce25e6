// A supervisor that is the first process of its container.

import { warning, type Finding, type HostFacts } from './finding.ts'

export function judgeFirstProcess({ instances }: HostFacts): readonly Finding[] {
  const first = instances.find(({ supervisor }) => supervisor?.pid === 1)
  if (first === undefined) return []
  return [
    warning(`instance ${first.name}`, 'its supervisor is the first process of its container (pid 1)', {
      why: 'What apps leave behind becomes its child, and Node does not wait for it: zombies stay.',
      fix: 'Run it with an init: `docker run --init`, `init: true` in a compose file, tini as ENTRYPOINT.',
    }),
  ]
}
