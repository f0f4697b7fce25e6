// The smoke test as a step of a rollout: what the configuration of the new release wants to be tried, on the workers it has.

import type { App } from './app.ts'
import { standbyEndpoints } from './preview.ts'
import type { Refusal } from './rollout-hooks.ts'
import { lastLines } from './run-command.ts'
import { runSmokeTest } from './smoke-test.ts'

/** Every worker of the group that has no traffic yet; says why it was refused. */
export async function smoke(app: App, signal: AbortSignal): Promise<Refusal | null> {
  const group = app.standbyGroup
  if (group === null) return { why: 'it was ended', lines: [] }
  const { release, config } = group.generation
  const endpoints = standbyEndpoints(app)
  const { cwd, env } = config
  const target = {
    app: app.name,
    release: release.id,
    group: group.name,
    previewUrl: app.preview.url,
    endpoints,
    cwd,
    env,
  }
  const { why, output } = await runSmokeTest(config.smoke, target, signal)
  return why === null ? null : { why, lines: lastLines(output) }
}
