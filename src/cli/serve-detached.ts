// The hidden command that a detached supervisor runs as; start-detached.ts spawns it and hands it the apps.

import type { Command } from 'commander'
import { readAdmin } from './admin-flags.ts'
import { becomeSupervisor } from './become-supervisor.ts'
import type { Invocation } from './invocation.ts'

export function define(command: Command, invocation: Invocation): void {
  command.argument('<instance>').action(async (instance: string) => {
    const admin = readAdmin(invocation.environment, invocation.directory)
    const options = { instance, sources: [], detached: true, logFormat: 'json', admin, onProgress: () => {} } as const
    invocation.exitCode = await becomeSupervisor(options, invocation)
  })
}
