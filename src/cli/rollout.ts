// `supervise rollout`: how far an app's rollout is, and what it waits for.

import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../errors.ts'
import { actOnApp, addTimeout } from './act.ts'
import { chooseApp, type AppTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import type { Output } from './output.ts'
import { addExamples } from './program.ts'
import type { ReleaseOptions } from './release-act.ts'
import { lastRolloutLine, rolloutLine } from './status-view.ts'

interface RolloutOptions extends ReleaseOptions {
  readonly watch?: boolean
}

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Shows which step a rollout is at, since when, what it waits for and when it goes on by itself. With --watch it goes along ' +
        'until the rollout is decided, or says how the last one was, and exits with code 5 when the release was taken back.',
    )
    .option('-w, --watch', 'go along until it is decided')
    .action(async (app: string | undefined, options: RolloutOptions) => {
      const target = await chooseApp(app ?? null, 'rollout', invocation)
      invocation.exitCode =
        options.watch === true ? await watch(target, options, invocation) : show(target, invocation.output)
    })
  addExamples(command, [
    { command: 'supervise rollout web', does: 'the step, why it waits, and for how long' },
    { command: 'supervise rollout web --watch', does: 'the same live, to its end' },
  ])
}

function show({ app: { rollout, lastRollout, name } }: AppTarget, output: Output): ExitCode {
  const last = lastRollout === null ? '' : `; ${lastRolloutLine(lastRollout)}`
  if (output.json) output.document({ app: name, rollout, lastRollout })
  else output.lines([`${name}: ${rollout === null ? `no rollout is under way${last}` : rolloutLine(rollout)}`])
  return EXIT.ok
}

function watch(target: AppTarget, options: RolloutOptions, invocation: Invocation): Promise<ExitCode> {
  const { name } = target.app
  const again = `supervise rollout ${name} --watch`
  const operation = {
    method: 'GET' as const,
    path: appPath(name, 'rollout'),
    title: `rollout of "${name}"`,
    look: again,
    onward: appPath(name, 'rollout'),
    again,
  }
  return actOnApp(target, operation, options, invocation)
}
