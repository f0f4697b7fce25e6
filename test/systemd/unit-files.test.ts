import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { instanceDirectory } from '../../src/control/instance-directory.ts'
import { NOTIFY_NAME } from '../../src/systemd/activation.ts'
import { commandLine, quoteForUnit, serviceUnit, socketUnit, type UnitSettings } from '../../src/systemd/unit-files.ts'

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

  it.each(['PrivateTmp', 'RemoveIPC', 'DynamicUser'])(
    'lacks %s=, which takes files or shared memory from workers when the supervisor alone has died',
    (directive) => expect(serviceUnit(SETTINGS)).not.toMatch(new RegExp(`^${directive}=`, 'm')),
  )

  it('is not started again when nothing is left to run, and when words or config are wrong', () => {
    expect(serviceUnit(SETTINGS).split('\n')).toContain('RestartPreventExitStatus=0 2 78')
  })

  it('ends restarts of what takes 2 s to die and to come back', () => {
    const text = serviceUnit(SETTINGS)
    const [interval, burst] = ['StartLimitIntervalSec', 'StartLimitBurst'].map((name) =>
      Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(text)?.[1]),
    )
    expect((interval ?? 0) / (burst ?? 0)).toBeGreaterThanOrEqual(2)
  })

  it('opens the notification socket where systemd can', () => {
    expect(serviceUnit(SETTINGS)).not.toContain('OpenFile=')
    expect(serviceUnit({ ...SETTINGS, systemdVersion: 253 })).toContain('OpenFile=/run/systemd/notify:.notify:graceful')
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

  it('names sockets as no other descriptor of the unit is named, whatever the instance is called', () => {
    expect(socketUnit({ ...SETTINGS, name: 'notify' })).toContain('FileDescriptorName=notify')
    expect(() => instanceDirectory(NOTIFY_NAME)).toThrow(NOTIFY_NAME)
  })

  it('has no specifiers in a path', () => {
    const listen = ['/run/100%n.sock']
    expect(socketUnit({ ...SETTINGS, listen })).toContain('\nListenStream=/run/100%%n.sock\n')
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
    expect(quoteForUnit('two\nlines\r')).toBe(String.raw`"two\nlines\r"`)
  })

  it('never lets a word end the line or be two', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab\n\r]{1,5}$/)), (word) => {
        const quoted = quoteForUnit(word)
        expect(quoted).not.toMatch(/[\n\r]/)
        if (/\s/.test(word)) expect(quoted).toMatch(/^".*"$/s)
      }),
    )
  })
})

describe('commandLine()', () => {
  it('leaves the dollar in the path of what is executed: systemd puts no variables there', () => {
    expect(commandLine('/opt/a$b 100%/node', '$HOME')).toBe('"/opt/a$b 100%%/node" $$HOME')
  })

  it.skipIf(!HAS_SYSTEMD)('is a path that systemd finds', () => {
    const program = join(directory, 'a$b %n c')
    symlinkSync('/bin/true', program)
    const file = write('odd.service', `[Service]\nExecStart=${commandLine(program, '$x')}\n`)
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    expect(stderr.split('\n').filter((line) => line.includes('odd.service'))).toEqual([])
  })
})
