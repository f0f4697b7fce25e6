// Builds the Next fixture for production in a directory of the test's own. Takes about 8 s and no network.

import { execFile } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fixture, ROOT } from './releases.ts'

export const BUILD_LIMIT_MS = 120_000

/** Paths that `supervise start` may be given for it. */
export interface NextApp {
  /** A server of one's own around Next. */
  readonly server: string
  /** Next's own command; needs the argument `start` and the app's directory as cwd. */
  readonly command: string
}

export async function buildNextApp(directory: string): Promise<NextApp> {
  cpSync(fixture('next-app'), directory, { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  const command = join(directory, 'node_modules/next/dist/bin/next')
  // Turbopack refuses a symlinked node_modules; webpack does not.
  await promisify(execFile)(process.execPath, [command, 'build', '--webpack'], {
    cwd: directory,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
    timeout: BUILD_LIMIT_MS,
  })
  return { server: join(directory, 'server.mjs'), command }
}
