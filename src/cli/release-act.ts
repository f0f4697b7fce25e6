// What the commands that act on an app's releases have in common.

import type { ExitCode } from '../errors.ts'
import { actOnApp, type ActOptions } from './act.ts'
import { chooseApp } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'

export type ReleaseOptions = Omit<ActOptions, 'all'>

export async function actOnRelease(
  verb: string,
  app: string | undefined,
  options: ReleaseOptions,
  invocation: Invocation,
  {
    body = {},
    again,
    waits = false,
  }: { readonly body?: object; readonly again?: string; readonly waits?: boolean } = {},
): Promise<ExitCode> {
  const target = await chooseApp(app ?? null, verb, invocation)
  const { name } = target.app
  const operation = {
    method: 'POST' as const,
    path: appPath(name, verb),
    body,
    title: `${verb} of "${name}"`,
    look: `supervise rollout ${name} --watch`,
    // Where it does not wait for a rollout's end, an upgrade waits for its.
    ...(waits && { onward: appPath(name, 'rollout') }),
    again: again ?? `supervise ${verb} ${name}`,
  }
  return actOnApp(target, operation, options, invocation)
}
