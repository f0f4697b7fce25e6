import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { quoteForUnit, serviceUnit, socketUnit, type UnitSettings } from '../../src/systemd/unit-files.ts'

const SETTINGS: UnitSettings = {
  name: 'web',
  node: process.execPath,
  launcher: '/bin/true',
  startWords: ['/srv/web/app.js', '-i', '4'],
  workingDirectory: '/',
  user: 'daemon',
  scope: 'system',
  listen: ['127.0.0.1:3000', '/run/web.sock'],
  slots: 4,
  stopMs: 30_000,
  memoryMax: '2G',
  cpuQuota: '150%',
  bindsLowPort: false,
  systemdVersion: 252,
}

const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0
const directory = mkdtempSync(join(tmpdir(), 'units-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

describe('serviceUnit()', () => {
  it('names places, limits and commands', () => {
    const text = serviceUnit(SETTINGS)
    for (const line of [
      'Type=notify',
      'User=daemon',
      `ExecStart=${process.execPath} /bin/true start --instance web /srv/web/app.js -i 4`,
      `ExecReload=${process.execPath} /bin/true reload --instance web --all`,
      'KillMode=process',
      'TimeoutStopSec=45s',
      'RuntimeDirectory=supervise/web',
      'MemoryMax=2G',
      'CPUQuota=150%',
      'Requires=web.socket',
    ])
      expect(text.split('\n')).toContain(line)
  })

  it('opens the notification socket where systemd can', () => {
    expect(serviceUnit(SETTINGS)).not.toContain('OpenFile=')
    expect(serviceUnit({ ...SETTINGS, systemdVersion: 253 })).toContain('OpenFile=/run/systemd/notify:notify:graceful')
    // A user's manager listens elsewhere: what is told there would be told to the wrong one.
    expect(serviceUnit({ ...SETTINGS, systemdVersion: 253, scope: 'user' })).not.toContain('OpenFile=')
    expect(serviceUnit({ ...SETTINGS, systemdVersion: null })).not.toContain('OpenFile=')
  })

  it.skipIf(!HAS_SYSTEMD)('is understood by systemd, and its exposure is OK or better', () => {
    const file = write('web.service', serviceUnit({ ...SETTINGS, listen: [] }))
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    expect(verified.stderr.split('\n').filter((line) => line.includes('web.service'))).toEqual([])
    const rated = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', file], { encoding: 'utf8' })
    const exposure = /Overall exposure level for web.service: ([\d.]+)/.exec(rated.stdout)?.[1]
    expect(Number(exposure)).toBeLessThan(5)
  })
})

describe('socketUnit()', () => {
  it('has one line a slot for a port, and one for a path', () => {
    const lines = (socketUnit(SETTINGS) ?? '').split('\n')
    expect(lines.filter((line) => line === 'ListenStream=127.0.0.1:3000')).toHaveLength(4)
    expect(lines.filter((line) => line === 'ListenStream=/run/web.sock')).toHaveLength(1)
    expect(lines).toContain('ReusePort=yes')
    expect(lines).toContain('SocketUser=daemon')
  })

  it('is none where systemd opens no socket', () => {
    expect(socketUnit({ ...SETTINGS, listen: [] })).toBe(null)
  })
})

describe('quoteForUnit()', () => {
  it('leaves a plain word as it is, and quotes the others', () => {
    expect(quoteForUnit('--port')).toBe('--port')
    expect(quoteForUnit('a b')).toBe('"a b"')
    expect(quoteForUnit('')).toBe('""')
    expect(quoteForUnit('100%')).toBe('100%%')
    expect(quoteForUnit('$HOME')).toBe('$$HOME')
    expect(quoteForUnit('say "hi"\\')).toBe(String.raw`"say \"hi\"\\"`)
    expect(quoteForUnit('two\nlines')).toBe(String.raw`"two\nlines"`)
  })

  it('never lets a word end the line or be two', () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        const quoted = quoteForUnit(word)
        expect(quoted).not.toMatch(/\n/)
        if (/\s/.test(word)) expect(quoted).toMatch(/^".*"$/s)
      }),
    )
  })
})
