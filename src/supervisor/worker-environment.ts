// The environment of a worker: the app's own, and what tells it who it is. docs/reference/environment.md lists it for people.

import type { AppConfig } from '../config/app-config.ts'
import { AGENT_ENV, type AgentSettings } from '../protocol/messages.ts'

export interface WorkerIdentity {
  readonly settings: Pick<AgentSettings, 'app' | 'group' | 'release' | 'worker'>
  readonly version: string | null
  /** Of this one process, and of no other in the world. */
  readonly instanceId: string
}

export function workerEnvironment(
  { env }: Pick<AppConfig, 'env'>,
  identity: WorkerIdentity,
  link: { readonly path: string; readonly settings: AgentSettings },
): Record<string, string> {
  const { app, group, release, worker } = identity.settings
  return {
    ...env,
    // PM2's name for it, 0-based: apps use it to let one worker alone do a thing.
    NODE_APP_INSTANCE: String(worker - 1),
    SUPERVISE_APP: app,
    SUPERVISE_GROUP: group,
    SUPERVISE_RELEASE: release,
    SUPERVISE_WORKER: String(worker),
    OTEL_RESOURCE_ATTRIBUTES: resourceAttributes(env, identity),
    [AGENT_ENV.link]: link.path,
    [AGENT_ENV.settings]: JSON.stringify(link.settings),
  }
}

/**
 * What the user has set, as it is, and ours behind it where the user has no such key. A service name of the user's own wins by
 * OpenTelemetry's rules, so ours would only be a second answer.
 */
export function resourceAttributes(env: AppConfig['env'], identity: WorkerIdentity): string {
  const { app, group, release, worker } = identity.settings
  return attributesText(env, {
    'service.name': app,
    'service.version': identity.version,
    'service.instance.id': identity.instanceId,
    'supervise.app': app,
    'supervise.group': group,
    'supervise.release': release,
    'supervise.worker': String(worker),
  })
}

/** The same of whatever else sends spans or metrics. */
export function attributesText(env: AppConfig['env'], own: Readonly<Record<string, string | null>>): string {
  const given = (env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').trim()
  const taken = new Set(given.split(',').map((pair) => decoded(pair.split('=')[0]?.trim() ?? '')))
  if (env['OTEL_SERVICE_NAME']) taken.add('service.name')
  const added = Object.entries(own).flatMap(([key, value]) =>
    value === null || taken.has(key) ? [] : [`${key}=${encodeURIComponent(value)}`],
  )
  return [...(given === '' ? [] : [given.replace(/,$/, '')]), ...added].join(',')
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
