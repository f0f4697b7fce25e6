import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { boundedOutlet } from '../../src/telemetry/outlet.ts'
import { Sink } from '../../src/telemetry/sink.ts'

function makeLog() {
  const directory = mkdtempSync(join(tmpdir(), 'log-'))
  const path = join(directory, 'web.log')
  const descriptor = openSync(path, 'a+', 0o600)
  onTestFinished(() => {
    closeSync(descriptor)
    rmSync(directory, { recursive: true })
  })
  return { path, descriptor }
}

describe('boundedOutlet()', () => {
  it('keeps the log and the one before it within the limit, and loses no line in between', async () => {
    const { path, descriptor } = makeLog()
    const sink = new Sink({ outlet: boundedOutlet(descriptor, path, 1000) })
    const lines = Array.from({ length: 50 }, (_, line) => `line ${String(line).padStart(93, '0')}\n`)
    for (const line of lines) {
      sink.write(line)
      // oxlint-disable-next-line no-await-in-loop -- each is a write of its own
      await sink.flush(5000)
    }
    expect(statSync(path).size).toBeLessThanOrEqual(1000)
    expect(readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')).toBe(lines.slice(-20).join(''))
    expect(statSync(`${path}.1`).mode & 0o777).toBe(0o600)
  })

  it('begins anew also with what others wrote and what was there, and when nothing can be copied', async () => {
    const { path, descriptor } = makeLog()
    writeSync(descriptor, 'x'.repeat(2000))
    const sink = new Sink({ outlet: boundedOutlet(descriptor, join(path, 'nowhere'), 1000) })
    sink.write('first\n')
    await sink.flush(5000)
    expect(fstatSync(descriptor).size).toBe(6)
    // As Node's own last words do.
    writeSync(descriptor, 'FATAL\n')
    expect(readFileSync(path, 'utf8')).toBe('first\nFATAL\n')
  })
})
