import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeDirectories } from '../../src/config/make-directories.ts'

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'make-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  return root
}

describe('makeDirectories()', () => {
  it('makes what is missing, for its owner alone unless told otherwise', () => {
    const path = join(makeRoot(), 'a', 'b', 'c')
    makeDirectories(path)
    makeDirectories(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    makeDirectories(join(path, 'd'), 0o750)
    expect(statSync(join(path, 'd')).mode & 0o777).toBe(0o750)
  })

  it('says what is in the way', () => {
    const root = makeRoot()
    writeFileSync(join(root, 'file'), '')
    expect(() => makeDirectories(join(root, 'file', 'a'))).toThrow(/EEXIST|ENOTDIR/)
  })

  it.runIf(existsSync('/proc/self'))('gives up where the system makes no directories', () => {
    expect(() => makeDirectories('/proc/supervise/a')).toThrow(/ENOENT/)
  })
})
