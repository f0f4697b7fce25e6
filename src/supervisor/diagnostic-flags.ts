// Flags of Node that make a process leave a diagnostic report, or heap snapshots, when it dies of a fatal error.

import type { AppConfig } from '../config/app-config.ts'

type Asked = Pick<AppConfig, 'nodeArgs' | 'env' | 'heapSnapshotNearLimit'>

/** What the user set by flags of their own is left as it is. */
export function diagnosticFlags(config: Asked, directory: string): readonly string[] {
  return [...reportFlags(config, directory), ...snapshotFlags(config, directory)]
}

/** As flags: of a report for want of memory, `process.report.excludeEnv` does not keep the environment out. */
function reportFlags(config: Asked, directory: string): readonly string[] {
  if (isSet(config, /^--report-/)) return []
  // Without the network, since a name server that does not answer would hold the end up.
  return [
    '--report-on-fatalerror',
    '--report-exclude-env',
    '--report-exclude-network',
    `--report-directory=${directory}`,
  ]
}

function snapshotFlags(config: Asked, directory: string): readonly string[] {
  const { heapSnapshotNearLimit } = config
  if (!(heapSnapshotNearLimit > 0) || isSet(config, /^--heapsnapshot-near-heap-limit/)) return []
  const place = isSet(config, /^--diagnostic-dir/) ? [] : [`--diagnostic-dir=${directory}`]
  return [`--heapsnapshot-near-heap-limit=${heapSnapshotNearLimit}`, ...place]
}

function isSet({ nodeArgs, env }: Asked, flag: RegExp): boolean {
  const words = [...nodeArgs, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  return words.some((word) => flag.test(word.replaceAll('_', '-')))
}
