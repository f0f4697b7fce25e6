// `supervise scale`: more workers or fewer, while the others serve on.

import type { Command } from 'commander'
import { wrongUsage } from '../errors/cli.ts'
import { actOnApp, addTimeout, type ActOptions } from './act.ts'
import { chooseApp } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'

const WORKERS = /^(?:max|[+-]?\d+)$/

export function define(command: Command, invocation: Invocation): void {
  addTimeout(
    command.argument('<app>', 'which app; may be left out when there is one').argument('[workers]', '4, +1, -2 or max'),
  )
    .description('Changes the number of workers. New ones start, or the last ones drain; the others do not notice.')
    .action(async (first: string, second: string | undefined, options: ActOptions) => {
      invocation.exitCode = await scale(first, second, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise scale web 4', does: 'four workers' },
    { command: 'supervise scale web +2', does: 'two more than now' },
    { command: 'supervise scale max', does: 'one for each CPU, when there is one app' },
  ])
}

async function scale(first: string, second: string | undefined, options: ActOptions, invocation: Invocation) {
  const workers = second ?? first
  const name = second === undefined ? null : first
  if (!WORKERS.test(workers)) {
    const app = name ?? first
    throw second === undefined
      ? wrongUsage(`scale "${app}": it is not said to how many workers`, `Say it: \`supervise scale ${app} 4\`.`)
      : wrongUsage(`scale "${app}" to "${workers}": it is not a number of workers`, 'Give 4, +1, -2 or max.')
  }
  const target = await chooseApp(name, 'scale', invocation)
  const { name: app } = target.app
  return actOnApp(
    target,
    {
      method: 'POST',
      path: appPath(app, 'scale'),
      body: { workers },
      title: `scale of "${app}"`,
      again: `supervise scale ${app} ${workers}`,
    },
    options,
    invocation,
  )
}
