// `supervise metrics`: what Prometheus would get, from every supervisor or one.

import type { Command } from 'commander'
import type { InstanceClient } from '../control/client.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { chooseApp, describeUnreachable, notRunning, reachInstances } from './instances.ts'
import type { Invocation } from './invocation.ts'
import type { Output } from './output.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'only this app; what is counted of the supervisor itself is left out then')
    .description(
      'Prints the metrics of a supervisor and its apps, as Prometheus reads them. With several supervisors name one by ' +
        '--instance, since each is a target of its own. For scrapes over TCP see `supervise start --admin`.',
    )
    .action(async (app: string | undefined) => {
      invocation.exitCode = app === undefined ? await metrics(invocation) : await metricsOf(app, invocation)
    })
  addExamples(command, [
    { command: 'supervise metrics', does: 'all of them, with their help' },
    { command: 'supervise metrics web', does: 'those of one app' },
    { command: 'supervise metrics | grep crashes', does: 'how often workers have crashed, by reason' },
    { command: 'supervise metrics --json', does: 'the same for programs' },
  ])
}

async function metrics(invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const { live, unreachable } = await reachInstances(invocation)
  const [first] = live
  if (first === undefined) throw notRunning(unreachable, invocation)
  for (const { client, name } of live) {
    if (live.length > 1 && !output.json) output.talk(`Instance ${name}:`)
    // oxlint-disable-next-line no-await-in-loop -- in their order
    await write(client, null, output)
  }
  for (const handle of unreachable) output.talk(describeUnreachable(handle))
  return unreachable.length === 0 ? EXIT.ok : EXIT.failed
}

async function metricsOf(app: string, invocation: Invocation): Promise<ExitCode> {
  const { client } = await chooseApp(app, 'metrics', invocation)
  await write(client, app, invocation.output)
  return EXIT.ok
}

async function write(client: InstanceClient, app: string | null, output: Output): Promise<void> {
  if (output.json) output.document(await client.get<object>('/v1/metrics', { format: 'json', app }))
  else output.lines((await client.text('/v1/metrics', { app })).trimEnd().split('\n'))
}
