// A command that is given no sockets opens its port by itself, and two of its processes may not get the same one.

import type { AppConfig } from '../config/app-config.ts'
import { cannotRunTwice } from '../errors/app.ts'
import { portsOpenedIn } from '../sockets/port-owner.ts'
import type { App } from './app.ts'

/** Two processes of it may not get the same port; one that opens none, such as a consumer of a queue, minds no second. */
export function opensItsPort({ isCommand, listen }: Pick<AppConfig, 'isCommand' | 'listen'>): boolean {
  return isCommand && (listen ?? []).length === 0
}

/**
 * Throws where a second process would find the port taken that the first has opened. Where two run already, they share it
 * (`SO_REUSEPORT`) or have none.
 */
export function refuseSecondOfOwnPort(app: Pick<App, 'name' | 'config' | 'processes'>): void {
  if (!opensItsPort(app.config)) return
  const [only, another] = [...app.processes()]
  if (only === undefined || another !== undefined) return
  const ports = portsOpenedIn(only.pid)
  if (ports.length > 0) throw cannotRunTwice(app.name, ports)
}

const IN_USE = /\bEADDRINUSE\b|address (?:already )?in use/i

/** What a start of several has to say when it failed by it; null when it did not. */
export function adviceForOwnPort(
  config: Pick<AppConfig, 'isCommand' | 'listen' | 'workers'>,
  stderr: readonly string[],
): string | null {
  if (config.workers < 2 || !opensItsPort(config) || !stderr.some((line) => IN_USE.test(line))) return null
  return 'It opens its port by itself, and two processes cannot have the same: give it its socket with `--listen`, or run one process (`--workers 1`).'
}
