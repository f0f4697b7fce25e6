// `supervise rollback`: back to an earlier release; in milliseconds while it is still warm.

import type { Command } from 'commander'
import { addTimeout } from './act.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(
    command
      .argument('[app]', 'which app; may be left out when there is one')
      .argument('[release]', 'id or version; when left out the last one that was good before the one that serves'),
  )
    .description(
      'Goes back to an earlier release. While it is warm that is a flip and starts no process; later it is started again from ' +
        'its directory, with the configuration that it had, and is given the traffic when it is ready. Typed twice it goes back by two, never forward ' +
        'to what was gone back from.',
    )
    .option('--force', 'also when the two releases cannot live on the same data')
    .action(
      async (
        app: string | undefined,
        release: string | undefined,
        options: ReleaseOptions & { readonly force?: boolean },
      ) => {
        invocation.exitCode = await actOnRelease('rollback', app, options, invocation, {
          body: { release: release ?? null, ...(options.force === true && { force: true }) },
          again: invocation.typed,
        })
      },
    )
  addExamples(command, [
    { command: 'supervise rollback web', does: 'the release before' },
    { command: 'supervise rollback web r3', does: 'this one, of those that `supervise history web` lists' },
  ])
}
