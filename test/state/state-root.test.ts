import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownStateRoot, stateRoot } from '../../src/state/state-root.ts'

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
