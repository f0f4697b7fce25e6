import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differencesOf, settingsIn, wordsOf } from '../../src/systemd/read-units.ts'
import { commandLine, serviceUnit, socketUnit, type UnitSettings } from '../../src/systemd/unit-files.ts'

const WORD = fc.oneof(
  fc.stringMatching(/^[\w@+=:,./%$-]{1,9}$/),
  fc.stringMatching(/^[\\\n\r"$%n ]{1,9}$/),
  fc.string({ minLength: 1, maxLength: 9 }),
)

const SETTINGS: fc.Arbitrary<UnitSettings> = fc.record({
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  node: fc.constantFrom('/usr/bin/node', '/opt/node 24/bin/node', '/opt/a$$b%/node'),
  launcher: fc.constantFrom('/usr/lib/supervise/bin/supervise.js', '/srv/100%/supervise.js'),
  startWords: fc.array(WORD, { maxLength: 5 }),
  workingDirectory: fc.constantFrom('/', '/srv/web', '/srv/100% of it'),
  user: fc.constantFrom(null, 'www-data'),
  scope: fc.constantFrom('system', 'user'),
  listen: fc.uniqueArray(fc.constantFrom('3000', '127.0.0.1:3001', '/run/web.sock', '/run/100%n.sock'), {
    maxLength: 3,
  }),
  slots: fc.integer({ min: 1, max: 5 }),
  stopMs: fc.integer({ min: 0, max: 90 }).map((seconds) => seconds * 1000),
  memoryMax: fc.constantFrom(null, '2G', '50%'),
  cpuQuota: fc.constantFrom(null, '150%'),
  bindsLowPort: fc.boolean(),
  systemdVersion: fc.constantFrom(null, 252, 255),
})

describe('settingsIn()', () => {
  it('finds what makes the same units again', () => {
    fc.assert(
      fc.property(SETTINGS, (settings) => {
        const [service, socket] = [serviceUnit(settings), socketUnit(settings)]
        const found = settingsIn(service, socket, settings)
        if (found === null) throw new Error('not found')
        expect(differencesOf(service, serviceUnit(found))).toEqual([])
        expect(socketUnit(found)).toBe(socket)
        expect([found.node, ...found.startWords]).toEqual([settings.node, ...settings.startWords])
      }),
    )
  })

  it.each([
    ['[Service]\nExecStart=/usr/bin/node /srv/app.js\n'],
    ['[Service]\n'],
    ['[Service]\nExecStart=/usr/bin/node /s.js start --instance other app.js\n'],
  ])('finds nothing in a unit that is not of this instance: %j', (text) => {
    expect(settingsIn(text, null, { name: 'web', scope: 'system', systemdVersion: 252 })).toBe(null)
  })
})

describe('differencesOf()', () => {
  it('names directives that are another, missing, or too many, and overlooks comments', () => {
    const installed = '# old\n[Service]\nType=notify\nRestartSec=1s\nListenStream=3000\nListenStream=3000\n'
    const expected = '# new\n[Service]\nType=notify\nRestartSec=0\nListenStream=3000\nKillMode=process\n'
    expect(differencesOf(installed, expected)).toEqual([
      'RestartSec=1s → RestartSec=0',
      'ListenStream=3000 (2 lines) → ListenStream=3000',
      'nothing → KillMode=process',
    ])
  })
})

describe('wordsOf()', () => {
  it('takes apart what commandLine() has written', () => {
    fc.assert(
      fc.property(fc.array(WORD, { minLength: 1, maxLength: 6 }), ([program = '', ...words]) => {
        expect(wordsOf(commandLine(program, ...words))).toEqual([program, ...words])
      }),
    )
  })
})
