// A temporary directory with the files of one test, removed when the test ends.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ConfigSource } from '../../src/config/app-config.ts'
import { SuperviseError } from '../../src/errors.ts'

/** Writes the files, an `app.js` among them, and returns the directory. */
export function project(files: Readonly<Record<string, string>> = {}): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'supervise-config-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries({ 'app.js': '', ...files })) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

/** The source of a script on the command line, or of the only app of a file. */
export function source(
  directory: string,
  more: Partial<ConfigSource> & { readonly config?: string } = {},
): ConfigSource {
  const { config, ...rest } = more
  const file = config === undefined ? null : join(directory, config)
  const flags = { ...(file === null ? { script: 'app.js' } : {}), ...more.flags }
  return { file, app: null, directory, environment: {}, ...rest, flags }
}

/** What the promise is rejected with, which must be an error made for users. */
export async function refusal(promise: Promise<unknown>): Promise<SuperviseError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof SuperviseError) return error
    throw error
  }
  throw new Error('expected a refusal, but it was accepted')
}
