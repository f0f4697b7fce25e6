// `supervise ping`: whether the supervisor answers, and how fast.

import type { Command } from 'commander'
import type { Pong } from '../control/messages.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { formatUptime } from './durations.ts'
import { describeUnreachable, notRunning, reachInstances, type Instance } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .description('Asks every supervisor of this user, or one, whether it answers. Exits 3 when none runs.')
    .action(async () => {
      invocation.exitCode = await ping(invocation)
    })
  addExamples(command, [{ command: 'supervise ping --instance web', does: 'exits 0 when it answers' }])
}

async function ping(invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const { live, unreachable } = await reachInstances(invocation)
  if (live.length === 0) throw notRunning(unreachable, invocation)
  const answers = await Promise.all(live.map(ask))
  const [first, second] = answers
  if (output.json) {
    if (first && !second) output.document(first)
    else output.document({ instances: answers })
  } else {
    for (const { instance, pid, answeredInMs, uptimeSeconds } of answers)
      output.line(`Instance ${instance}  pid ${pid}  up ${formatUptime(uptimeSeconds)}  answered in ${answeredInMs}ms`)
    for (const handle of unreachable) output.talk(describeUnreachable(handle))
  }
  return unreachable.length === 0 ? EXIT.ok : EXIT.failed
}

async function ask({ client }: Instance): Promise<Pong & { readonly answeredInMs: number }> {
  const asked = performance.now()
  const pong = await client.get<Pong>('/v1/ping')
  return { ...pong, answeredInMs: Math.round((performance.now() - asked) * 10) / 10 }
}
