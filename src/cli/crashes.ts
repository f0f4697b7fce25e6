// `supervise crashes`: what ended workers, in words, with their last lines.

import type { Command } from 'commander'
import type { CrashRecord } from '../control/messages.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { chooseFeed } from './feed.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { renderCrash } from './records-view.ts'
import { joinBlocks } from './table.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'only this app')
    .description(
      'Shows the crashes that are on record, oldest first, with what they mean and the last lines of stderr.',
    )
    .action(async (app: string | undefined) => {
      invocation.exitCode = await showCrashes(app ?? null, invocation)
    })
  addExamples(command, [{ command: 'supervise crashes web --json', does: 'all that is known of each' }])
}

async function showCrashes(app: string | null, invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const { client } = await chooseFeed(app, 'crashes', invocation)
  const { crashes } = await client.get<{ readonly crashes: readonly CrashRecord[] }>('/v1/crashes', { app })
  if (output.json) output.document({ crashes })
  else if (crashes.length === 0) output.talk('No crash is on record.')
  else output.lines(joinBlocks(crashes.map((crash) => renderCrash(crash, output.paint))))
  return EXIT.ok
}
