// What an earlier supervisor of the instance has left, as its state tells and as /proc does: the beginning of an adoption.

import { readState } from '../state/instance-state.ts'
import { restoreApps } from '../supervisor/adoption.ts'
import type { App } from '../supervisor/app.ts'
import { leftWorkersOf } from '../supervisor/left-workers.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { heldOutputs } from '../telemetry/held-outputs.ts'
import type { InstanceDirectory } from './instance-directory.ts'

/** What an earlier supervisor of this instance left; a file that cannot be used costs its knowledge, not the start. */
export function restore(directory: InstanceDirectory, supervisor: Supervisor, isUpgrade: boolean): readonly App[] {
  const read = readState(directory.stateFile, directory.name)
  // One that ends as it was asked to leaves none.
  if (read.kind !== 'none' && !isUpgrade) supervisor.measures.supervisorRestarted()
  const complain = (problem: string): readonly App[] => {
    supervisor.internalError(new Error(`cannot use ${directory.stateFile}: ${problem}; started without it`))
    return []
  }
  const apps = appsOf(read, supervisor, complain)
  supervisor.places.handed?.closeRest()
  return apps
}

function appsOf(
  read: ReturnType<typeof readState>,
  supervisor: Supervisor,
  complain: (problem: string) => readonly App[],
): readonly App[] {
  if (read.kind === 'none') return []
  if (read.kind === 'unusable') return complain(read.problem)
  try {
    return restoreApps(read.state, supervisor)
  } catch (error) {
    return complain(String(error))
  }
}

/** Whoever lives; the state should know it, and may not, and the whole directory may have been wiped. */
export function expectOrphans(directory: InstanceDirectory, supervisor: Supervisor): void {
  const known = new Set(incarnationsOf(supervisor))
  const found = leftWorkersOf(directory.path).filter(({ incarnation }) => !known.has(incarnation))
  const commands = found.filter(({ command }) => command !== null)
  for (const { incarnation } of commands) known.add(incarnation)
  const living = new Set([...heldOutputs(directory.output), ...found.map(({ incarnation }) => incarnation)])
  supervisor.orphans.expect(
    [...living].filter((incarnation) => !known.has(incarnation)),
    commands,
  )
}

export function incarnationsOf({ apps }: Supervisor): readonly string[] {
  return apps.flatMap((app) => [...app.processes()].map(({ incarnation }) => incarnation))
}
