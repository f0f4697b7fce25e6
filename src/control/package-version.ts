// The version of supervise itself.

import { readFileSync } from 'node:fs'

export function packageVersion(): string {
  // The file is ours and comes with every installation.
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
