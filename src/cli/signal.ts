// `supervise signal`: a signal for an app's workers, as `kill` would send it, with nothing decided by the supervisor.

import { constants } from 'node:os'
import type { Command } from 'commander'
import { nearest } from '../config/suggest.ts'
import type { OperationResult } from '../control/messages.ts'
import { wrongUsage } from '../errors/cli.ts'
import { chooseWorkers, findApps, parseTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath, exitCodeOf, showResults } from './operation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app, or one of its workers as app/id; may be left out when there is one')
    .argument('[signal]', 'USR2, SIGUSR2 …')
    .description('Sends a signal to all workers of an app, or to one. A worker that ends by it is started again.')
    .action(async (first: string | undefined, second: string | undefined) => {
      const word = second ?? first
      if (word === undefined || (second === undefined && (await isTarget(word, invocation)))) throw noSignalNamed(first)
      invocation.exitCode = await sendSignal(second === undefined ? undefined : first, word, invocation)
    })
  addExamples(command, [
    { command: 'supervise signal web USR2', does: 'to every worker of web' },
    { command: 'supervise signal web/2 SIGTERM', does: 'to worker 2' },
  ])
}

/** An app, where a signal was to be. */
async function isTarget(word: string, invocation: Invocation): Promise<boolean> {
  if (fullName(word) in constants.signals) return false
  const { app } = parseTarget(word)
  return (await findApps(invocation)).some((target) => target.app.name === app)
}

function noSignalNamed(target: string | undefined) {
  const to = target === undefined ? '' : ` to "${target}"`
  return wrongUsage(
    `send a signal${to}: none is named`,
    `Name one, such as \`supervise signal ${target ?? 'web'} USR2\`; \`kill -l\` lists them.`,
  )
}

async function sendSignal(app: string | undefined, word: string, invocation: Invocation) {
  const signal = parseSignal(word)
  const { target, workers } = await chooseWorkers({ target: app, worker: undefined }, 'signal', invocation)
  const { name } = target.app
  const body = workers === null ? { signal } : { signal, workers }
  const result = await target.client.send<OperationResult>('POST', appPath(name, 'signal'), body)
  if (invocation.output.json) invocation.output.document({ results: [result] })
  else showResults([result], `supervise signal ${name} ${signal}`, invocation.output)
  return exitCodeOf([result])
}

export function parseSignal(word: string): string {
  const signal = fullName(word)
  if (signal in constants.signals) return signal
  const meant = nearest(signal, Object.keys(constants.signals))
  throw wrongUsage(
    `send "${word}": there is no such signal`,
    meant === null ? 'See `kill -l`.' : `Did you mean ${meant}?`,
  )
}

function fullName(word: string): string {
  const upper = word.toUpperCase()
  return upper.startsWith('SIG') ? upper : `SIG${upper}`
}
