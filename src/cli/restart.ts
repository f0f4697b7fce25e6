// `supervise restart`: workers replaced with the config in force; one of them, or all.

import type { Command } from 'commander'
import { actOnApp, actOnApps, addTimeout, type ActOptions } from './act.ts'
import { chooseWorkers, parseTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  addTimeout(
    command.argument('[app]', 'which app, or one of its workers as app/id').argument('[worker]', 'which worker'),
  )
    .description('Replaces all workers of an app, or one, without losing a request. The config is not read again.')
    .option('--all', 'every app, one after the other')
    .action(async (app: string | undefined, worker: string | undefined, options: ActOptions) => {
      invocation.exitCode = await restart({ target: app, worker }, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise restart web', does: 'all workers of web, a few at a time' },
    { command: 'supervise restart web/2', does: 'worker 2 alone' },
  ])
}

async function restart(
  words: { target: string | undefined; worker: string | undefined },
  options: ActOptions,
  invocation: Invocation,
) {
  if (parseTarget(words.target, words.worker).worker === null)
    return actOnApps(words.target, { ...options, verb: 'restart' }, invocation, ({ client, app: { name } }) => ({
      client,
      method: 'POST',
      path: appPath(name, 'restart'),
      title: `restart of "${name}"`,
      again: `supervise restart ${name}`,
    }))
  const { target, workers } = await chooseWorkers(words, 'restart', invocation)
  const { name } = target.app
  return actOnApp(
    target,
    {
      method: 'POST',
      path: appPath(name, 'restart'),
      body: workers === null ? {} : { workers },
      title: `restart of "${name}"`,
      again: `supervise restart ${name}/${workers?.join() ?? ''}`,
    },
    options,
    invocation,
  )
}
