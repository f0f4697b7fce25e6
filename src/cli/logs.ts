// `supervise logs`: the lines that workers wrote, as they wrote them.

import type { Command } from 'commander'
import type { LogRecord } from '../control/messages.ts'
import { wrongUsage } from '../errors/cli.ts'
import { addFeedOptions, chooseFeed, parseCount, writeFeed, type FeedOptions } from './feed.ts'
import { chooseWorkers, parseTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { renderLog } from './records-view.ts'

interface LogOptions extends FeedOptions {
  readonly worker?: number
  readonly err?: boolean
  readonly release?: string
}

export function define(command: Command, invocation: Invocation): void {
  addFeedOptions(command.argument('[app]', 'only this app, or one of its workers as app/id'))
    .description('Shows what the workers wrote to stdout and stderr. With --json one object a line.')
    .option('--worker <id>', 'only this worker', parseCount)
    .option('--release <id>', 'only what this release wrote, such as r12')
    .option('--err', 'only stderr')
    .action(async (app: string | undefined, options: LogOptions) => {
      invocation.exitCode = await showLogs(app, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise logs web -f', does: 'the last 50 lines, then every later one' },
    { command: 'supervise logs web --release r12', does: 'what this release wrote, though it was refused' },
    { command: 'supervise logs web/2 --err -n 200', does: 'stderr of worker 2' },
  ])
}

async function showLogs(word: string | undefined, options: LogOptions, invocation: Invocation) {
  const { app, worker } = parseTarget(word)
  if (worker !== null && options.worker !== undefined)
    throw wrongUsage(`show logs of two workers: "${word}" and --worker ${options.worker}`, 'Leave one of them out.')
  const wanted = worker ?? options.worker ?? null
  // To follow a worker that is to come is no mistake.
  const { follow = false, lines, err, release = null } = options
  const instance =
    wanted === null || follow
      ? await chooseFeed(app, 'logs', invocation)
      : (await chooseWorkers({ target: app ?? undefined, worker: String(wanted) }, 'logs', invocation)).target
  const query = { app, release, worker: wanted, stream: err ? 'stderr' : null, lines, follow }
  const { paint } = invocation.output
  return writeFeed<LogRecord>(
    instance,
    { path: '/v1/logs', query, render: (line) => renderLog(line, paint) },
    invocation,
  )
}
