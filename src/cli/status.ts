// `supervise status`: all instances, their apps and workers; exits 0 only when all of them are well.

import type { Command } from 'commander'
import { nearest } from '../config/suggest.ts'
import type { InstanceStatus } from '../control/messages.ts'
import { appNotFound } from '../errors/cli.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { describeUnreachable, notRunning, reachInstances, readStatus, type Unreachable } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { lookAtLeft, wordsForLeft } from './left-instance.ts'
import { addExamples } from './program.ts'
import { joinBlocks } from './table.ts'
import { isHealthy, renderStatus } from './status-view.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'only this app')
    .description(
      'Shows every app and worker of every supervisor of this user. Exits 0 only when all apps are well: online, or ' +
        'stopped because somebody wanted it; 1 when one is starting, degraded or failed.',
    )
    .action(async (app: string | undefined) => {
      invocation.exitCode = await showStatus(app ?? null, invocation)
    })
  addExamples(command, [
    { command: 'supervise status', does: 'everything that runs' },
    { command: 'supervise status web && deploy', does: 'goes on only when web is well' },
    { command: 'supervise status --json', does: 'for programs' },
  ])
}

async function showStatus(app: string | null, invocation: Invocation): Promise<ExitCode> {
  const { live, unreachable } = await reachInstances(invocation)
  // A supervisor that died while its workers serve on is a sight of its own, not "nothing runs".
  if (live.length === 0 && unreachable.length === 0) throw notRunning([], invocation)
  const all = await Promise.all(live.map(readStatus))
  const statuses = app === null ? all : selectApp(all, app)

  if (invocation.output.json) writeDocument(statuses, unreachable, invocation)
  else writeText(statuses, unreachable, invocation)
  const isWell = unreachable.length === 0 && statuses.every((status) => status.apps.every(isHealthy))
  return isWell ? EXIT.ok : EXIT.failed
}

function selectApp(statuses: readonly InstanceStatus[], app: string): readonly InstanceStatus[] {
  const selected = statuses
    .map((status) => ({ ...status, apps: status.apps.filter(({ name }) => name === app) }))
    .filter(({ apps }) => apps.length > 0)
  if (selected.length > 0) return selected
  const names = statuses.flatMap((status) => status.apps.map(({ name }) => name))
  throw appNotFound(app, names, nearest(app, names))
}

function writeText(
  statuses: readonly InstanceStatus[],
  unreachable: readonly Unreachable[],
  { output, directory }: Invocation,
): void {
  const blocks = statuses.map((status) => renderStatus(status, Date.now(), output.paint, output.width))
  for (const handle of unreachable) {
    const next = handle.alive
      ? 'Look at its process, or at its log.'
      : `${wordsForLeft(lookAtLeft(handle), directory)}; or end them with \`supervise stop --orphans\`.`
    blocks.push([output.paint('red', describeUnreachable(handle)), next])
  }
  output.table(joinBlocks(blocks))
}

/** One instance is a document of its own; anything more is a list, with what cannot be asked in it. */
function writeDocument(
  statuses: readonly InstanceStatus[],
  unreachable: readonly Unreachable[],
  { output }: Invocation,
): void {
  const [first, second] = statuses
  if (first && !second && unreachable.length === 0) return output.document(first)
  const rest = unreachable.map((handle) => ({
    instance: handle.name,
    pid: null,
    state: handle.alive ? 'silent' : 'dead',
    workersLeft: handle.alive ? null : handle.workers,
    pidsLeft: handle.alive ? null : handle.pids,
    apps: [],
  }))
  output.document({ instances: [...statuses, ...rest] })
}
