// `supervise reload`: config and code read again, every worker replaced, none of its requests lost.

import type { Command } from 'commander'
import { actOnApps, addTimeout, type ActOptions } from './act.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Reads config and code again and replaces every worker: new ones get ready first, then the old ones drain. ' +
        'When a new one does not get ready, all old ones serve on, and the exit code is 5.',
    )
    .option('--all', 'every app, one after the other')
    .action(async (app: string | undefined, options: ActOptions) => {
      invocation.exitCode = await actOnApps(
        app,
        { ...options, verb: 'reload' },
        invocation,
        ({ client, app: { name } }) => ({
          client,
          method: 'POST',
          path: appPath(name, 'reload'),
          title: `reload of "${name}"`,
          again: `supervise reload ${name}`,
        }),
      )
    })
  addExamples(command, [
    { command: 'supervise reload web', does: 'returns when the new workers serve and the old ones have drained' },
    { command: 'supervise diff web', does: 'shows beforehand what it would change' },
  ])
}
