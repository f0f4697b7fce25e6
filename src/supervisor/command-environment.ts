// What tells a program that is not Node who it is and where its sockets are: systemd's way, and plain variables.

import type { AppConfig, ListenAddress } from '../config/app-config.ts'
import { resourceAttributes, type WorkerIdentity } from './worker-environment.ts'

export function commandEnvironment(
  { env, listen }: Pick<AppConfig, 'env' | 'listen'>,
  identity: WorkerIdentity,
): Record<string, string> {
  const { app, group, release, worker } = identity.settings
  return {
    ...env,
    SUPERVISE_APP: app,
    SUPERVISE_GROUP: group,
    SUPERVISE_RELEASE: release,
    SUPERVISE_WORKER: String(worker),
    OTEL_RESOURCE_ATTRIBUTES: resourceAttributes(env, identity),
    ...socketVariables(listen ?? []),
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
