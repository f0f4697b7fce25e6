// Everything that is looked at, at once: nothing is changed by it.

import { findInstances } from '../find-instances.ts'
import type { Environment } from '../instance-directory.ts'
import type { Facts, InstanceFacts } from './facts.ts'
import { groupFacts, kernelFacts, limitsOf, selfFacts, zombiesOf } from './host-facts.ts'
import { instanceFacts } from './instance-facts.ts'
import { placeFacts } from './place-facts.ts'

/** `only` is the name of an instance; null is all of this user. */
export async function gatherFacts(environment: Environment, only: string | null): Promise<Facts> {
  const found = await findInstances(environment)
  const wanted = found.filter(({ name }) => only === null || name === only)
  const instances = await Promise.all(wanted.map(instanceFacts))
  return {
    self: selfFacts(environment),
    kernel: kernelFacts(),
    limits: limitsOf('self'),
    groups: groupFacts(),
    places: placeFacts(environment),
    instances,
    zombies: zombiesOf(new Set(instances.flatMap(processesOf))),
  }
}

function processesOf({ supervisor, apps }: InstanceFacts): readonly number[] {
  const workers = apps.flatMap((app) => app.workers.map(({ pid }) => pid))
  return supervisor === null ? workers : [supervisor.pid, ...workers]
}
