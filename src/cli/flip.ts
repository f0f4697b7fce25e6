// `supervise flip`: the public traffic to the other group, by hand.

import type { Command } from 'commander'
import { addTimeout } from './act.ts'
import type { Invocation } from './invocation.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Gives the public traffic to the other group, the release that `status` shows as standby, which must be warm: within milliseconds, and back as fast by the same command. Keep-alive connections move with their next response.',
    )
    .action(async (app: string | undefined, options: ReleaseOptions) => {
      invocation.exitCode = await actOnRelease('flip', app, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise flip web', does: 'from the release that serves to the one beside it, or back' },
  ])
}
