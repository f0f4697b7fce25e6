import { expect, it } from 'vitest'
import { diagnosticFlags } from '../../src/supervisor/diagnostic-flags.ts'

const plain = { nodeArgs: [], env: {}, heapSnapshotNearLimit: 0 }
const REPORT = ['--report-on-fatalerror', '--report-exclude-env', '--report-exclude-network', '--report-directory=/d']

it('reports of fatal errors, without the environment; snapshots when they are asked for', () => {
  expect(diagnosticFlags(plain, '/d')).toEqual(REPORT)
  expect(diagnosticFlags({ ...plain, heapSnapshotNearLimit: 2 }, '/d')).toEqual([
    ...REPORT,
    '--heapsnapshot-near-heap-limit=2',
    '--diagnostic-dir=/d',
  ])
})

it('leaves alone what the user set, as a flag or in NODE_OPTIONS', () => {
  expect(diagnosticFlags({ ...plain, nodeArgs: ['--report-directory=/mine'] }, '/d')).toEqual([])
  expect(diagnosticFlags({ ...plain, env: { NODE_OPTIONS: '-r x --report_on_fatalerror' } }, '/d')).toEqual([])
  const snapshots = { ...plain, heapSnapshotNearLimit: 1 }
  expect(diagnosticFlags({ ...snapshots, nodeArgs: ['--diagnostic-dir=/mine'] }, '/d')).toEqual([
    ...REPORT,
    '--heapsnapshot-near-heap-limit=1',
  ])
  expect(diagnosticFlags({ ...snapshots, nodeArgs: ['--heapsnapshot-near-heap-limit=3'] }, '/d')).toEqual(REPORT)
})
