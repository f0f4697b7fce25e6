// `supervise rollout`: how far an app's rollout is, and what it waits for.

import type { Command } from 'commander'
import { EXIT } from '../errors.ts'
import { chooseApp } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { rolloutLine } from './status-view.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app; may be left out when there is one')
    .description('Shows which step a rollout is at, since when, what it waits for and when it goes on by itself.')
    .action(async (app: string | undefined) => {
      const { rollout, name } = (await chooseApp(app ?? null, 'rollout', invocation)).app
      const { output } = invocation
      if (output.json) output.document({ app: name, rollout })
      else output.lines([rollout === null ? `${name}: no rollout is under way` : `${name}: ${rolloutLine(rollout)}`])
      invocation.exitCode = EXIT.ok
    })
  addExamples(command, [{ command: 'supervise rollout web', does: 'the step, why it waits, and for how long' }])
}
