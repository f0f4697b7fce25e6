// An instance whose supervisor is dead and which nobody brings back: what to type for another supervisor, which takes its
// workers over.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { findInstances, type InstanceHandle } from '../control/find-instances.ts'
import { leftApps, type LeftApp } from '../control/left-apps.ts'
import { appInSeveralInstances, leftByDead } from '../errors/cli.ts'
import { systemctlCommand } from '../systemd/systemctl.ts'
import type { Invocation } from './invocation.ts'
import { unitOf, type OwnUnit } from './own-unit.ts'

export type DeadInstance = Extract<InstanceHandle, { readonly alive: false }>

/** What decides what is to be typed. */
export interface LeftInstance {
  readonly name: string
  readonly apps: readonly string[]
  /** The unit that its workers belong to; null where a person started it. */
  readonly unit: OwnUnit | null
}

export function lookAtLeft({ name, directory, pids }: DeadInstance): LeftInstance {
  return { name, apps: leftApps(directory).map((app) => app.name), unit: unitOfWorkers(name, pids) }
}

/** Units of ours are named as their instances; what somebody started by hand may be in a unit of the desktop's. */
function unitOfWorkers(name: string, pids: readonly number[]): OwnUnit | null {
  return pids.map(unitOf).find((unit) => unit?.name === `${name}.service`) ?? null
}

/** To be typed in `directory`, where a file may have the name of an app. */
export function commandForLeft({ name, apps, unit }: LeftInstance, directory: string): string {
  if (unit !== null) return systemctlCommand(unit.scope, 'start', unit.name)
  const which = name === 'default' ? '' : ` --instance ${name}`
  const [app] = apps
  if (app === undefined) return `supervise start …${which}`
  const words = `supervise start ${app}${which}`
  return existsSync(resolve(directory, app)) ? `(cd / && ${words})` : words
}

/** The whole sentence. What was started as it was is known by the app's name alone. */
export function wordsForLeft(left: LeftInstance, directory: string): string {
  const command = commandForLeft(left, directory)
  const isKnown = left.unit !== null || left.apps.length > 0
  return isKnown
    ? `Start it again with \`${command}\`, and it takes them over`
    : `Start it again as it was started (\`${command}\`), and it takes them over`
}

/** The app of this name that a dead supervisor left, with all that it left; null where there is none. */
export async function findLeft(
  app: string,
  { environment, instance }: Pick<Invocation, 'environment' | 'instance'>,
): Promise<{ readonly handle: DeadInstance; readonly apps: readonly LeftApp[] } | null> {
  const only = instance()
  const found = (await findInstances(environment)).flatMap((handle) => {
    if (handle.alive || (only !== null && handle.name !== only)) return []
    const apps = leftApps(handle.directory)
    return apps.some(({ name }) => name === app) ? [{ handle, apps }] : []
  })
  const [first, second] = found
  if (second)
    throw appInSeveralInstances(
      app,
      found.map(({ handle }) => handle.name),
    )
  return first ?? null
}

/** Throws where a dead supervisor of another instance left one of these apps, whose workers still have its port. */
export async function refuseLeft(
  instance: string,
  apps: readonly string[],
  { environment, directory }: Pick<Invocation, 'environment' | 'directory'>,
): Promise<void> {
  for (const handle of await findInstances(environment)) {
    if (handle.alive || handle.workers === 0 || handle.name === instance) continue
    const left = lookAtLeft(handle)
    const app = left.apps.find((name) => apps.includes(name))
    if (app !== undefined)
      throw leftByDead(app, instance, left.name, commandForLeft({ ...left, apps: [app] }, directory))
  }
}
