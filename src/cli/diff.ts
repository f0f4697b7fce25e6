// `supervise diff`: what a reload would change of the config in force; exits like diff(1).

import type { Command } from 'commander'
import type { ConfigChange, ConfigDiff } from '../control/messages.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { chooseApp } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import type { Paint } from './paint.ts'
import { addExamples } from './program.ts'
import { oneLine } from './text-width.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app; may be left out when there is one')
    .description(
      'Reads the config again and shows what a reload would change, without changing it. ' +
        'Exits as diff(1): 0 nothing would change, 1 something would; anything else is an error.',
    )
    .action(async (app: string | undefined) => {
      invocation.exitCode = await showDiff(app ?? null, invocation)
    })
  addExamples(command, [{ command: 'supervise diff web', does: 'values of environment variables are not shown' }])
}

async function showDiff(app: string | null, invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const { client, app: status } = await chooseApp(app, 'diff', invocation)
  const diff = await client.get<ConfigDiff>(appPath(status.name, 'diff'))
  if (output.json) output.document(diff)
  else if (diff.changes.length === 0) output.talk(`${diff.app}: nothing would change`)
  else output.lines(diff.changes.flatMap((change) => renderChange(change, output.paint)))
  return diff.changes.length === 0 ? EXIT.ok : EXIT.failed
}

export function renderChange({ option, kind, from, to, applies }: ConfigChange, paint: Paint): string[] {
  const how = applies === 'live' ? paint('dim', '  (applied without a reload)') : ''
  if (option.startsWith('env.')) {
    const sign = { added: paint('green', '+'), removed: paint('red', '-'), changed: paint('yellow', '~') }[kind]
    return [`${sign} ${option}${how}`]
  }
  const removed = from === null ? [] : [paint('red', `- ${option}: ${oneLine(from)}`)]
  const added = to === null ? [] : [paint('green', `+ ${option}: ${oneLine(to)}`)]
  const lines = [...removed, ...added]
  return lines.length === 0 ? [`~ ${option}${how}`] : [...lines.slice(0, -1), `${lines.at(-1)}${how}`]
}
