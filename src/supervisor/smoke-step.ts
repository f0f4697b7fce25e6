// The step of a rollout in which the new group is tried, and what is kept of it.

import type { App } from './app.ts'
import { standbyEndpoints } from './preview.ts'
import type { ReleaseBooks } from './release-books.ts'
import type { Refusal } from './rollout-hooks.ts'
import { lastLines } from './run-command.ts'
import { runSmokeTest } from './smoke-test.ts'

/** Of a smoke test's output, in the books, which are written whole each time. */
const KEPT_CHARACTERS = 16 * 1024

/** Every worker of the group that has no traffic yet; says why it was refused. */
export async function tryStandby(app: App, books: ReleaseBooks, signal: AbortSignal): Promise<Refusal | null> {
  const group = app.standbyGroup
  if (group === null) return { why: 'it was ended', lines: [] }
  const { release, config } = group.generation
  const { cwd, env, smoke } = config
  const target = {
    app: app.name,
    release: release.id,
    group: group.name,
    previewUrl: app.preview.url,
    endpoints: standbyEndpoints(app),
    cwd,
    env,
  }
  const { passed, why, output } = await runSmokeTest(smoke, target, signal)
  const record = { passed, why, output: output.slice(-KEPT_CHARACTERS), at: new Date().toISOString() }
  if (smoke.length > 0) books.note(app.name, release.id, { smoke: record })
  return why === null ? null : { why, lines: lastLines(output) }
}
