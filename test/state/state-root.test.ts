import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { userInfo, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeDirectories } from '../../src/state/make-directories.ts'
import { ownStateRoot, stateRoot } from '../../src/state/state-root.ts'

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'make-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  return root
}

describe('stateRoot()', () => {
  it('is what systemd gives, the first of several, but never a place that depends on where we are', () => {
    expect(stateRoot({ STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/xdg' })).toBe('/var/lib/a')
    expect(stateRoot({ STATE_DIRECTORY: 'a:/var/lib/b', XDG_STATE_HOME: '/xdg' })).toBe('/var/lib/b')
    expect(stateRoot({ STATE_DIRECTORY: 'relative', XDG_STATE_HOME: '/xdg' })).toBe('/xdg/supervise')
  })
})

describe('ownStateRoot()', () => {
  it.each([undefined, '', 'relative'])('asks the system where the home is when HOME is %j', (home) => {
    expect(ownStateRoot({ HOME: home })).toBe(join(userInfo().homedir, '.local/state/supervise'))
  })
})

describe('makeDirectories()', () => {
  it('makes what is missing, for its owner alone', () => {
    const path = join(makeRoot(), 'a', 'b', 'c')
    makeDirectories(path)
    makeDirectories(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
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
