// `supervise describe`: all that is known about one app.

import type { Command } from 'commander'
import type { AppDescription } from '../control/messages.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { renderDescription } from './describe-view.ts'
import { chooseApp, readStatus } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app; may be left out when there is one')
    .description(
      'Shows an app with its workers, its config as it is in force, its last crashes and its last events. ' +
        'Of environment variables only the names are shown.',
    )
    .action(async (app: string | undefined) => {
      invocation.exitCode = await describe(app ?? null, invocation)
    })
  addExamples(command, [{ command: 'supervise describe web', does: 'what runs, from where, with which options' }])
}

async function describe(app: string | null, invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const target = await chooseApp(app, 'describe', invocation)
  const [description, status] = await Promise.all([
    target.client.get<AppDescription>(appPath(target.app.name)),
    readStatus(target),
  ])
  const { instance, pid, version, nodeVersion, keptBy } = status
  const supervisor = { instance, pid, version, nodeVersion, keptBy }
  if (output.json) output.document({ ...description, supervisor })
  else output.lines(renderDescription(description, supervisor, output.paint))
  return EXIT.ok
}
