// `supervise promote`: a rollout goes on, as a person wants it.

import type { Command } from 'commander'
import { addTimeout } from './act.ts'
import type { Invocation } from './invocation.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Lets a rollout go on: from the wait for a person to the flip, or from the watch after it to its end, as if nothing had been found; the old release stays warm for `rollbackWindow`.',
    )
    .action(async (app: string | undefined, options: ReleaseOptions) => {
      invocation.exitCode = await actOnRelease('promote', app, options, invocation)
    })
  addExamples(command, [{ command: 'supervise promote web', does: 'gives the release that waits the traffic' }])
}
