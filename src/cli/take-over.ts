// The hidden command that a supervisor starts another installation with, to be followed by it: to ask whether it could,
// and to let it.

import type { Command } from 'commander'
import { EXIT } from '../errors.ts'
import type { Invocation } from './invocation.ts'
import { keeperOptions } from './serve-detached.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('<instance>')
    .option('--check', 'say whether it could, and touch nothing')
    .action(async (instance: string, { check }: { readonly check?: boolean }) => {
      invocation.exitCode = check === true ? await sayWhetherItCould(instance) : await takeOver(instance, invocation)
    })
}

async function sayWhetherItCould(instance: string) {
  const { checkTakeOver } = await import('../control/take-over-check.ts')
  process.stdout.write(`${JSON.stringify(await checkTakeOver(instance))}\n`)
  return EXIT.ok
}

async function takeOver(instance: string, invocation: Invocation) {
  const { Succession } = await import('../control/succession.ts')
  const { becomeSupervisor } = await import('./become-supervisor.ts')
  const succession = await Succession.receive()
  const { detached, isKept, logFormat, admin, stop } = succession.offer
  process.on('exit', (code) => succession.tellStandIn(`exit ${code} ${process.pid}`))
  const kept = isKept ? { keeper: { ...keeperOptions(instance, invocation), parent: null } } : {}
  const rest = { sources: [], onProgress: () => {}, onFailure: (error: unknown) => succession.failed(error) }
  return becomeSupervisor(
    { instance, detached, logFormat, admin, succession, ...(stop && { stop }), ...rest, ...kept },
    invocation,
  )
}
