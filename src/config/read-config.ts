// An app's whole configuration, read again from where it came from, whenever a start, a reload or a check asks for it.

import { appNotInConfig } from '../errors/config.ts'
import type { AppConfig, ConfigSource } from './app-config.ts'
import { readConfigFile } from './files.ts'
import { mistakesAround, mistakesError } from './mistakes.ts'
import { resolveApp } from './resolve.ts'
import { entryOf, openTarget } from './sources.ts'
import type { TargetRequest } from './sources.ts'

/** Where the code is of an app that was moved to another release; null when it is where its configuration says. */
export type Elsewhere = (config: AppConfig) => Pick<AppConfig, 'script' | 'cwd'> | null

/**
 * Reads file, environment files, variables and flags; throws one error that names every mistake. What the configuration
 * points at may be gone when the code is elsewhere: old releases get tidied away.
 */
export async function readConfig(source: ConfigSource, elsewhere: Elsewhere = () => null): Promise<AppConfig> {
  const document = source.file === null ? null : await readConfigFile(source.file, source.environment)
  const entry = document === null ? null : entryOf(document, source.app)
  const around = mistakesAround(document)
  if (document !== null && entry === null) {
    if (around.length > 0) throw await mistakesError(around, document)
    throw appNotInConfig(
      document.file,
      source.app ?? '',
      document.apps.map(({ name }) => name ?? ''),
    )
  }
  const { config, mistakes, misplaced } = await resolveApp({ source, document, entry })
  const place = config === null || misplaced.length === 0 ? null : elsewhere(config)
  const all = [...around, ...mistakes, ...(place === null ? misplaced : [])]
  if (config === null || all.length > 0) throw await mistakesError(all, document)
  return place === null ? config : { ...config, script: place.script, cwd: place.cwd }
}

/** What `supervise check` asks: every app of the target, or one error with the mistakes of all of them. */
export async function checkTarget(
  request: TargetRequest,
): Promise<{ readonly instance: string | null; readonly apps: readonly AppConfig[] }> {
  const { instance, document, inputs } = await openTarget(request)
  const resolved = await Promise.all(inputs.map((input) => resolveApp(input)))
  const mistakes = [...mistakesAround(document), ...resolved.flatMap((app) => [...app.misplaced, ...app.mistakes])]
  const apps = resolved.flatMap(({ config }) => (config === null ? [] : [config]))
  if (mistakes.length > 0) throw await mistakesError(mistakes, document)
  return { instance, apps }
}
