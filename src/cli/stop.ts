// `supervise stop`: one app drained and stopped, or with `--all` every app and the supervisor itself.

import type { Command } from 'commander'
import { EXIT } from '../errors.ts'
import { wrongUsage } from '../errors/cli.ts'
import { actOnApps, addTimeout, type ActOptions } from './act.ts'
import { chooseInstance } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath, operate } from './operation.ts'
import { addExamples } from './program.ts'
import { stopOrphans } from './stop-orphans.ts'

interface StopOptions extends ActOptions {
  readonly now?: boolean
  readonly orphans?: boolean
  readonly ifEnding?: boolean
}

export function define(command: Command, invocation: Invocation): void {
  addTimeout(command.argument('[app]', 'which app; may be left out when there is one'))
    .description(
      'Drains and stops an app. A supervisor in the background keeps it, and `supervise start <app>` starts it again; one in the foreground ends with its last app. With --all the supervisor ends, too.',
    )
    .option('--all', 'every app, and the supervisor itself')
    .option('--now', 'do not wait for open requests')
    .option('--orphans', 'workers whose supervisor is gone, of every instance or of the one that --instance names')
    .option(
      '--if-ending',
      'with --orphans: only when their supervisor, or the unit, had been told to stop; for ExecStopPost=',
    )
    .action(async (app: string | undefined, options: StopOptions) => {
      invocation.exitCode = await stop(app, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise stop web', does: 'open requests end first' },
    { command: 'supervise stop --all', does: 'ends everything that this supervisor runs' },
    { command: 'supervise stop --orphans', does: 'ends what a supervisor left that died and will not come back' },
  ])
}

async function stop(app: string | undefined, options: StopOptions, invocation: Invocation) {
  if (options.orphans) return stopOrphans(app, options, invocation)
  if (options.ifEnding)
    throw wrongUsage('stop if it is ending: --if-ending is about orphans', 'Write it as `--orphans --if-ending`.')
  const body = options.now ? { now: true } : {}
  if (!options.all)
    return actOnApps(app, { ...options, verb: 'stop' }, invocation, ({ client, app: { name } }) => ({
      client,
      method: 'POST',
      path: appPath(name, 'stop'),
      body,
      title: `stop of "${name}"`,
      again: `supervise stop ${name} --now`,
    }))
  if (app !== undefined)
    throw wrongUsage(
      `stop both "${app}" and all apps`,
      `Leave out one: \`supervise stop ${app}\` or \`supervise stop --all\`.`,
    )
  const { name, client } = await chooseInstance(invocation)
  const operation = {
    client,
    method: 'POST' as const,
    path: '/v1/stop',
    body,
    title: `stop of instance "${name}"`,
    again: `supervise stop --all --now --instance ${name}`,
    mayBeEmpty: true as const,
  }
  const exitCode = await operate([operation], options, invocation)
  if (exitCode === EXIT.ok && !invocation.output.json) invocation.output.talk(`Instance ${name} has ended.`)
  return exitCode
}
