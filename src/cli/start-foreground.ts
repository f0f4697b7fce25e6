// The foreground `supervise start`: this process becomes the supervisor.

import type { ConfigSource } from '../config/app-config.ts'
import type { ProgressLine } from '../control/messages.ts'
import type { ExitCode } from '../errors.ts'
import { adminVariables, readAdmin, type AdminFlags } from './admin-flags.ts'
import { becomeSupervisor } from './become-supervisor.ts'
import type { Invocation } from './invocation.ts'
import { showResults } from './operation.ts'
import type { StartOptions } from './start.ts'
import { readStopTiming, stopVariables, type StopFlags } from './stop-flags.ts'

export async function startForeground(
  instance: string,
  sources: readonly ConfigSource[],
  options: Pick<StartOptions, 'logFormat' | 'fresh' | keyof AdminFlags | keyof StopFlags>,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output, typed, environment, directory } = invocation
  const admin = readAdmin({ ...environment, ...adminVariables(options, directory) }, directory)
  const stop = readStopTiming({ ...environment, ...stopVariables(options) })
  const onProgress = (line: ProgressLine) => {
    // All else is in the supervisor's own lines.
    if (line.type !== 'result' || line.result.ok) return
    // Whoever stopped it knows.
    if (line.result.error?.code === 'OPERATION_ABORTED') output.talk(`${line.result.app}: stopped before it was ready`)
    else showResults([line.result], typed, output)
  }
  const { logFormat, fresh = false } = options
  return becomeSupervisor({ instance, sources, fresh, detached: false, logFormat, admin, stop, onProgress }, invocation)
}
