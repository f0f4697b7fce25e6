import { describe, expect, it } from 'vitest'

import { EXIT } from '../../src/errors.ts'
import { checkNames, type Wish } from '../../src/supervisor/names-to-start.ts'

describe('checkNames()', () => {
  const apps = new Map([
    ['runs', { isStopped: false, takenOverBy: () => null }],
    ['stopped', { isStopped: true, takenOverBy: () => null }],
    ['taken over', { isStopped: false, takenOverBy: () => Promise.resolve() }],
  ])

  it('takes names that are free, or of apps that are stopped or were just taken over', () => {
    expect(() => checkNames(wishes('new', 'stopped', 'taken over'), apps)).not.toThrow()
  })

  it('refuses the name of an app that runs', () => {
    expect(() => checkNames(wishes('new', 'runs'), apps)).toThrow(
      'Cannot start "runs": an app of this name runs already',
    )
  })

  it('refuses two of one name, of which the second would run unknown', () => {
    expect(() => checkNames(wishes('new', 'other', 'new'), apps)).toThrow(
      expect.objectContaining({
        code: 'APP_NAMED_TWICE',
        exitCode: EXIT.usage,
        message: 'Cannot start "new": two of the apps to start have this name',
      }),
    )
  })
})

function wishes(...names: readonly string[]): Wish[] {
  const source = { file: null, app: null, flags: {}, directory: '/', environment: {} }
  return names.map((name) => ({ source, config: { name } }))
}
