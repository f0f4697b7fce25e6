// `supervise resume`: a paused rollout goes on.

import type { Command } from 'commander'
import { addTimeout } from './act.ts'
import type { Invocation } from './invocation.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description('Lets a rollout that was paused go on.')
    .action(async (app: string | undefined, options: ReleaseOptions) => {
      invocation.exitCode = await actOnRelease('resume', app, options, invocation)
    })
  addExamples(command, [{ command: 'supervise resume web', does: 'what was left of its times runs again' }])
}
