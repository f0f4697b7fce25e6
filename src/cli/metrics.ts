// `supervise metrics`: what Prometheus would get, from every supervisor or one.

import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../errors.ts'
import { describeUnreachable, notRunning, reachInstances } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .description(
      'Prints the metrics of a supervisor and its apps, as Prometheus reads them. With several supervisors name one by ' +
        '--instance, since each is a target of its own. For scrapes over TCP see `supervise start --admin`.',
    )
    .action(async () => {
      invocation.exitCode = await metrics(invocation)
    })
  addExamples(command, [
    { command: 'supervise metrics', does: 'all of them, with their help' },
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
    if (output.json) output.document(await client.get<object>('/v1/metrics', { format: 'json' }))
    // oxlint-disable-next-line no-await-in-loop
    else output.lines((await client.text('/v1/metrics')).trimEnd().split('\n'))
  }
  for (const handle of unreachable) output.talk(describeUnreachable(handle))
  return unreachable.length === 0 ? EXIT.ok : EXIT.failed
}
