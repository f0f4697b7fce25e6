// The hidden command that a detached supervisor runs as; start-detached.ts spawns it and hands it the apps.

import type { Command } from 'commander'
import { readAdmin } from './admin-flags.ts'
import { becomeSupervisor } from './become-supervisor.ts'
import { wasEnding } from '../control/find-instances.ts'
import { instanceDirectory } from '../control/instance-directory.ts'
import { KEEPER_VARIABLE, readKeeperParent, type KeeperOptions } from '../control/keeper.ts'
import type { Invocation } from './invocation.ts'
import { readStopTiming } from './stop-flags.ts'

export function define(command: Command, invocation: Invocation): void {
  command.argument('<instance>').action(async (instance: string) => {
    const admin = readAdmin(invocation.environment, invocation.directory)
    const stop = readStopTiming(invocation.environment)
    const keeper = keeperOptions(instance, invocation)
    const rest = { sources: [], detached: true, logFormat: 'json', admin, stop, onProgress: () => {} } as const
    // One that was killed while it stopped is brought back to stop.
    const isEnding = keeper.parent !== null && wasEnding(instanceDirectory(instance, invocation.environment))
    const end = isEnding ? { end: { now: false, onEnd: () => {} } } : { keeper }
    const options = { instance, ...rest, ...end }
    invocation.exitCode = await becomeSupervisor(options, invocation)
  })
}

export function keeperOptions(instance: string, { environment }: Invocation): KeeperOptions {
  const command = [process.execPath, process.argv[1] ?? '', 'serve-detached', instance]
  const { [KEEPER_VARIABLE]: parent, ...rest } = environment
  // Workers are not to have it.
  delete process.env[KEEPER_VARIABLE]
  return { command, environment: rest, parent: readKeeperParent(parent) }
}
