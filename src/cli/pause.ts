// `supervise pause`: a rollout stays where it is.

import type { Command } from 'commander'
import { addTimeout } from './act.ts'
import type { Invocation } from './invocation.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Holds a rollout where it is: nothing is given up, let go or begun by itself. A failed watch goes back all the same.',
    )
    .action(async (app: string | undefined, options: ReleaseOptions) => {
      invocation.exitCode = await actOnRelease('pause', app, options, invocation)
    })
  addExamples(command, [{ command: 'supervise pause web', does: 'until `supervise resume web`' }])
}
