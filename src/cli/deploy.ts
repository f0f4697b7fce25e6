// `supervise deploy`: a new release beside the one that serves, tried, then given the traffic; or refused, and nobody noticed.

import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { environmentVariables } from '../config/option-parsers.ts'
import { wrongUsage } from '../errors/cli.ts'
import { addTimeout } from './act.ts'
import { findApps } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { actOnRelease, type ReleaseOptions } from './release-act.ts'
import { collect } from './start-flags.ts'

interface DeployOptions extends ReleaseOptions {
  readonly version?: string
  readonly strategy?: string
  readonly force?: boolean
  readonly node?: string
  readonly env?: readonly string[]
  readonly wait?: boolean
}

export function define(command: Command, invocation: Invocation): void {
  addTimeout(
    command
      .argument('[app]', 'which app; may be left out when there is one')
      .argument('[path]', "the release's directory; what the configuration says when left out"),
  )
    .description(
      'Starts a new release whole beside the one that serves, and gives it all requests within milliseconds when every worker ' +
        'is ready. One that does not get ready is refused with exit code 5, and the old one serves on. Once it serves it is ' +
        'watched for a while (`bake`), and taken back by itself when it does badly; the command does not wait for that ' +
        'without --wait. The old one stays warm meanwhile, so that `supervise rollback` takes milliseconds.',
    )
    .option(
      '--version <label>',
      "what to call it; the version in the release's package.json when left out, else git's short hash",
    )
    .addOption(
      new Option('--strategy <how>', 'blue-green or rolling; what the configuration says when left out').choices([
        'blue-green',
        'rolling',
      ]),
    )
    .option('--node <file>', 'Node binary for this release alone, also after reloads and a reboot')
    .addOption(new Option('--env <NAME=value>', 'variable for this release alone, likewise').argParser(collect))
    .option('--wait', 'return when the watch after the switch is over; exit code 5 when the release was taken back')
    .option('--force', 'also when the two releases cannot live on the same data')
    .action(async (app: string | undefined, path: string | undefined, options: DeployOptions) => {
      const named = await readTarget(app, path, invocation)
      const absolute = named.path === null ? null : resolve(invocation.directory, named.path)
      invocation.exitCode = await actOnRelease('deploy', named.app, options, invocation, {
        body: {
          path: absolute,
          version: options.version ?? null,
          ...(options.strategy !== undefined && { strategy: options.strategy }),
          ...(options.force === true && { force: true }),
          ...(options.node !== undefined && { node: resolve(invocation.directory, options.node) }),
          ...(options.wait === true && { wait: true }),
          ...(options.env !== undefined && { env: variablesOf(options.env) }),
        },
        again: invocation.typed,
        waits: options.wait === true,
      })
    })
  addExamples(command, [
    { command: 'supervise deploy web ./releases/43', does: 'the release in this directory' },
    {
      command: 'supervise deploy web ./releases/43 --wait',
      does: 'the same, and succeeds only when the watch found nothing',
    },
    { command: 'supervise deploy web --node /opt/node-26/bin/node', does: 'the same code with another Node' },
    { command: 'supervise deploy web', does: 'what the configuration says now: a `current` link that was switched' },
  ])
}

function variablesOf(typed: readonly string[]): Readonly<Record<string, string>> {
  const parsed = environmentVariables.parse(typed, '')
  if (!parsed.ok) {
    const problems = parsed.refusals.map(({ problem }) => problem)
    throw wrongUsage(
      `understand --env: ${problems.join('; ')}`,
      'Write it as --env NAME=value, once for each variable.',
    )
  }
  // What is typed always has a value.
  return Object.fromEntries(
    Object.entries(parsed.value).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  )
}

/** One word alone is an app if there is one of that name, else the path of a release of the only app. */
async function readTarget(app: string | undefined, path: string | undefined, invocation: Invocation) {
  if (app === undefined || path !== undefined) return { app, path: path ?? null }
  const isApp = (await findApps(invocation)).some((target) => target.app.name === app)
  return isApp || !/[./]/.test(app) ? { app, path: null } : { app: undefined, path: app }
}
