// Says once that the supervisor which answers is not of the version that was typed: what is new here it does not know yet.

import { heedVersions } from '../control/client.ts'
import { packageVersion } from '../control/package-version.ts'
import type { Output } from './output.ts'

export function tellOfOtherVersions(output: Output): void {
  const told = new Set<string>()
  heedVersions((version, instance) => {
    const own = packageVersion()
    if (version === own || told.has(instance)) return
    told.add(instance)
    output.talk(
      `Note: the supervisor of ${instance} is version ${version}, and this is ${own}; \`supervise upgrade --instance ${instance}\` lets this one take over.`,
    )
  })
}
