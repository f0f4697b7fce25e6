// What a supervisor that died was to run, as far as the next one can go on with it.

import type { ConfigSource } from '../config/app-config.ts'
import { readState } from '../state/instance-state.ts'
import type { InstanceDirectory } from './instance-directory.ts'

export interface LeftApp {
  readonly name: string
  /** What it was started from: the same again takes its workers over. */
  readonly source: ConfigSource
}

/** Those that should run. Empty where it cannot be known. */
export function leftApps({ stateFile, name }: InstanceDirectory): readonly LeftApp[] {
  const read = readState(stateFile, name)
  return read.kind === 'state' ? read.state.apps.filter(({ stopped }) => !stopped) : []
}
