// The table of all checks, in the order in which they are told.

import { judgeApps } from './apps-check.ts'
import type { Check, Finding, HostFacts } from './finding.ts'
import { judgeFirstProcess } from './first-process-check.ts'
import { judgeInstances } from './instances-check.ts'
import { judgeKernel } from './kernel-check.ts'
import { judgeLimits } from './limits-check.ts'
import { judgeNode } from './node-check.ts'
import { judgePlaces } from './places-check.ts'
import { judgeProcesses } from './processes-check.ts'
import { judgeUnits } from './units-check.ts'

export const CHECKS: readonly Check[] = [
  { name: 'node', judge: judgeNode },
  { name: 'instances', judge: judgeInstances },
  { name: 'apps', judge: judgeApps },
  { name: 'processes', judge: judgeProcesses },
  { name: 'firstProcess', judge: judgeFirstProcess },
  { name: 'limits', judge: judgeLimits },
  { name: 'kernel', judge: judgeKernel },
  { name: 'places', judge: judgePlaces },
  { name: 'systemd', judge: judgeUnits },
]

export interface NamedFinding extends Finding {
  readonly check: string
}

export function judge(facts: HostFacts): readonly NamedFinding[] {
  return CHECKS.flatMap(({ name, judge: judgeOne }) => judgeOne(facts).map((finding) => named(name, finding)))
}

function named(check: string, finding: Finding): NamedFinding {
  return { check, ...finding }
}
