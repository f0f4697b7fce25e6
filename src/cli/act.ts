// What the commands that act on an app have in common: which apps are meant, and the options that all of them take.

import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../errors.ts'
import { wrongUsage } from '../errors/cli.ts'
import { chooseApp, findApps, type AppTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { operate, type Operation } from './operation.ts'

export interface ActOptions {
  readonly all?: boolean
  readonly timeout?: string
}

export function addTimeout(command: Command): Command {
  return command.option('--timeout <duration>', 'stop waiting after this time, exit code 7; the operation goes on')
}

/** Does the same to one app, or with `--all` to every app, one after the other. */
export async function actOnApps(
  app: string | undefined,
  options: ActOptions & { readonly verb: string },
  invocation: Invocation,
  plan: (target: AppTarget) => Operation,
): Promise<ExitCode> {
  const { verb } = options
  if (options.all && app !== undefined)
    throw wrongUsage(
      `${verb} both "${app}" and all apps`,
      `Leave out one: \`supervise ${verb} ${app}\` or \`supervise ${verb} --all\`.`,
    )
  const targets = options.all ? await findApps(invocation) : [await chooseApp(app ?? null, verb, invocation)]
  if (targets.length > 0) return operate(targets.map(plan), options, invocation)
  if (invocation.output.json) invocation.output.document({ results: [] })
  else invocation.output.talk('There is no app.')
  return EXIT.ok
}

export async function actOnApp(
  target: AppTarget,
  operation: Omit<Operation, 'client'>,
  options: ActOptions,
  invocation: Invocation,
) {
  return operate([{ client: target.client, ...operation }], options, invocation)
}
