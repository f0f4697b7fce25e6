// What others are told of a rollout, and what they are asked: the hooks of the configuration, each with what is to be known.

import type { HookName } from '../config/app-config.ts'
import type { Generation } from './worker-spec.ts'
import type { App } from './app.ts'
import { runHook } from './hooks.ts'
import { lastLines } from './run-command.ts'

export interface HookFacts {
  readonly release: string
  readonly from: string
  readonly step: string
  readonly outcome: string | null
  readonly why: string | null
  /** Of the release, where the generation that is at hand may be another one. */
  readonly version?: string | null
  readonly path?: string
}

export interface Refusal {
  readonly why: string
  /** The end of what it wrote or answered. */
  readonly lines: readonly string[]
}

/** Asks; resolves with why not, or null for yes, which is also the answer of nobody. */
export async function askHook(
  app: App,
  generation: Generation,
  name: HookName,
  facts: HookFacts,
  signal?: AbortSignal,
): Promise<Refusal | null> {
  const hook = generation.config.hooks[name]
  if (hook === undefined) return null
  const { cwd, env } = generation.config
  const { path, version } = generation.release
  const payload = { hook: name, app: app.name, version, path, ...facts, at: new Date().toISOString() }
  const { why, output } = await runHook({ name, hook, payload, cwd, env, ...(signal && { signal }) })
  return why === null ? null : { why, lines: lastLines(output) }
}

/** Tells; an answer that is no yes is an event, and changes nothing. */
export function tellHook(app: App, generation: Generation, name: HookName, facts: HookFacts): void {
  void askHook(app, generation, name, facts).then((no) => {
    if (no !== null) app.record('hookFailed', no.why, `hook ${name}`, 'warn')
  })
}
