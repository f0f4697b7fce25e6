// Where Prometheus and its tools are, if they are.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './releases.ts'

/** Where .ci/run unpacks Debian's package; else what is on the PATH. */
const UNPACKED = join(ROOT, '.cache/prometheus/usr/bin')

export function findPrometheus(program: 'prometheus' | 'promtool'): string | null {
  if (existsSync(join(UNPACKED, program))) return join(UNPACKED, program)
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()
  } catch {
    return null
  }
}

/** What promtool has to say of metrics: nothing where all is well, or where it is not there. */
export function checkMetrics(text: string): string {
  const promtool = findPrometheus('promtool')
  if (promtool === null) return ''
  return execFileSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' })
}
