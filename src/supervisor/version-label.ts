// The version that people know a release by: package.json's, looked for from the script's directory upwards.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Null when no package.json says one. */
export function readVersion(directory: string): string | null {
  for (let current = directory; ; current = dirname(current)) {
    const version = versionIn(join(current, 'package.json'))
    if (version !== undefined) return version
    if (dirname(current) === current) return null
  }
}

/** Undefined when there is no such file; the nearest one decides, even when it names no version. */
function versionIn(file: string): string | null | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : null
    return typeof version === 'string' ? version : null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null
  }
}
