// `supervise delete`: an app stopped, and forgotten by its supervisor.

import type { Command } from 'commander'
import { actOnApps, addTimeout, type ActOptions } from './act.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Drains and stops an app as `supervise stop` does, and forgets it: its options, its releases and their history, its crashes. The ' +
        'next start of an app of this name begins with r1. Files of the app stay as they are. A supervisor in the background ' +
        'ends with its last app.',
    )
    .option('--all', 'every app')
    .action(async (app: string | undefined, options: ActOptions) => {
      invocation.exitCode = await actOnApps(
        app,
        { ...options, verb: 'delete' },
        invocation,
        ({ client, app: { name } }) => ({
          client,
          method: 'DELETE',
          path: appPath(name),
          title: `delete of "${name}"`,
          again: `supervise delete ${name}`,
        }),
      )
    })
  addExamples(command, [
    { command: 'supervise delete web', does: 'status no longer knows web, nor does history' },
    { command: 'supervise stop web', does: 'instead, where `supervise start web` is to start it again' },
  ])
}
