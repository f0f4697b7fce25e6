// `supervise abort`: a rollout is given up.

import type { Command } from 'commander'
import { addTimeout } from './act.ts'
import type { Invocation } from './invocation.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Gives a rollout up: the release before has the traffic again within milliseconds, and the new one ends. A deploy that still waits or asks a hook is given up first.',
    )
    .action(async (app: string | undefined, options: ReleaseOptions) => {
      invocation.exitCode = await actOnRelease('abort', app, options, invocation)
    })
  addExamples(command, [{ command: 'supervise abort web', does: 'back to the release before' }])
}
