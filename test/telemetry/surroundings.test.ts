import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { countZombies } from '../../src/telemetry/surroundings.ts'

it('countZombies() counts the dead that the first process has not waited for, whatever their names are', () => {
  const root = mkdtempSync(join(tmpdir(), 'proc-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const stats = {
    1: 'node) S 0 1',
    7: 'sh) Z 1 7',
    8: 'a ) Z 1) S 1 8',
    9: 'b ) (x) Z 1 9',
    10: 'sh) Z 8 10',
    self: 'sh) Z 1 7',
  }
  for (const [pid, rest] of Object.entries(stats)) {
    mkdirSync(join(root, 'proc', pid), { recursive: true })
    writeFileSync(join(root, 'proc', pid, 'stat'), `${pid} (${rest} ${'0 '.repeat(48)}`)
  }
  expect(countZombies(root, 1)).toBe(2)
  // Somebody else is the first, and waits for orphans.
  expect(countZombies(root, 8)).toBeNull()
})
