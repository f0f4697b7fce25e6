import { describe, expect, it } from 'vitest'

import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'
import { WorkerOutputs } from '../../src/supervisor/worker-outputs.ts'
import { WorkerOutput } from '../../src/telemetry/worker-output.ts'

describe('WorkerOutputs.tailOf()', () => {
  it('has the last lines of stderr, bounded by lines and by bytes', () => {
    const outputs = new WorkerOutputs('web', () => {})
    // Of the worker only its name is asked.
    const worker = { id: 1, pid: 1, generation: { group: 'blue', release: { id: 'r1' } } } as WorkerHandle
    const output = WorkerOutput.onPipes('')
    outputs.watch(worker, output)
    for (let line = 0; line < 100; line += 1) output.onLine('stderr', String(line), false)
    output.onLine('stdout', 'not this', false)
    expect(outputs.tailOf(worker)).toEqual(Array.from({ length: 64 }, (_, line) => String(line + 36)))
    for (let line = 0; line < 64; line += 1) output.onLine('stderr', 'x'.repeat(256 * 1024), true)
    expect(outputs.tailOf(worker).join('').length).toBeLessThanOrEqual(256 * 1024)
  })
})
