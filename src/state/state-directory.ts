// Where one instance keeps what outlives it.

import { join } from 'node:path'
import { stateRoot } from './state-root.ts'

export function stateDirectory(
  instance: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return join(stateRoot(env), instance)
}
