// What tells a program that is not Node who it is and where its sockets are: systemd's way, and plain variables.

import type { AppConfig, ListenAddress } from '../config/app-config.ts'
import { INCARNATION } from './worker-proof.ts'
import { resourceAttributes, type WorkerIdentity } from './worker-environment.ts'

export interface CommandIdentity extends WorkerIdentity {
  readonly settings: WorkerIdentity['settings'] & { readonly incarnation: string }
}

export function commandEnvironment(
  env: AppConfig['env'],
  identity: CommandIdentity,
  /** One for each socket, in their order. */
  sockets: readonly ListenAddress[],
): Record<string, string> {
  const { app, group, release, worker, incarnation } = identity.settings
  return {
    ...env,
    SUPERVISE_APP: app,
    SUPERVISE_GROUP: group,
    SUPERVISE_RELEASE: release,
    SUPERVISE_WORKER: String(worker),
    [INCARNATION]: incarnation,
    OTEL_RESOURCE_ATTRIBUTES: resourceAttributes(env, identity),
    ...socketVariables(sockets),
  }
}

/** LISTEN_PID is not among them: nobody knows it before the program runs. */
function socketVariables(listen: readonly ListenAddress[]): Record<string, string> {
  if (listen.length === 0) return {}
  const first = listen.find((address) => 'port' in address)
  return {
    LISTEN_FDS: String(listen.length),
    LISTEN_FDNAMES: listen.map(descriptorName).join(':'),
    ...(first !== undefined && { PORT: String(first.port), HOST: first.host }),
  }
}

/** Names are separated by colons, so none may have one: a port alone, or the file's name. */
function descriptorName(address: ListenAddress): string {
  if ('port' in address) return String(address.port)
  return (address.path.split('/').at(-1) ?? '').replaceAll(/[^\x21-\x39\x3b-\x7e]/g, '_')
}
