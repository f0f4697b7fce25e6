import { describe, expect, it } from 'vitest'
import type { HostFacts } from '../../../src/cli/doctor/finding.ts'
import { judgeUnits, milliseconds } from '../../../src/cli/doctor/units-check.ts'
import { serviceUnit } from '../../../src/systemd/unit-files.ts'
import { app, facts, instance, systemd, UNIT, unit } from './healthy-facts.ts'

const told = (change: Partial<HostFacts>) =>
  judgeUnits(facts(change)).map(({ level, about, says }) => `${level} ${about}: ${says}`)
const OF_UNIT = { path: '/run/supervise/web' }
const withUnit = (change: Parameters<typeof unit>[0]) => ({ systemd: systemd({ units: [unit(change)] }) })
const inForce = (change: Readonly<Record<string, string>>) =>
  withUnit({ properties: { ...unit().properties, ...change } })

describe('judgeUnits()', () => {
  it('is content with units that are as this version writes them', () => {
    expect(told({})).toEqual(['fine unit web.service: active, as this version writes it'])
    expect(told({ systemd: systemd({ units: [] }) })).toEqual([
      'fine systemd: version 252; no unit of supervise is installed',
    ])
    expect(told({ systemd: systemd({ version: null, units: [] }) })).toEqual([])
  })

  it.each([
    ['warning systemd: 1 unit of supervise, and no systemctl', { systemd: systemd({ version: null }) }],
    [
      'problem systemd: version 252, and there is no systemd-notify',
      { systemd: systemd({ hasHelper: false, units: [unit()] }) },
    ],
    [
      'problem unit web.service: the Node that it starts, /opt/node, cannot be run',
      withUnit({ node: { path: '/opt/node', runs: false, leadsTo: null } }),
    ],
    [
      'warning unit web.service: the Node that it starts, /opt/node, is a link to /opt/node-24',
      withUnit({ node: { path: '/opt/node', runs: true, leadsTo: '/opt/node-24' } }),
    ],
    [
      'warning unit web.service: it is not what this version writes: RestartSec=5s → RestartSec=0',
      withUnit({ service: serviceUnit(UNIT).replace('RestartSec=0', 'RestartSec=5s') }),
    ],
    [
      'warning unit web.service: it is not what this version writes: its ExecStart',
      withUnit({ service: '[Service]\n' }),
    ],
    ['problem unit web.service: KillMode=mixed', inForce({ KillMode: 'mixed' })],
    ['problem unit web.service: NotifyAccess=main', inForce({ NotifyAccess: 'main' })],
    ['warning unit web.service: Type=simple', inForce({ Type: 'simple' })],
    ['warning unit web.service: Restart=no', inForce({ Restart: 'no' })],
    ['note unit web.service: WatchdogSec is off', inForce({ WatchdogUSec: 'infinity' })],
    ['warning unit web.service: its file was changed', inForce({ NeedDaemonReload: 'yes' })],
    ['problem unit web.service: it failed (exit-code)', inForce({ ActiveState: 'failed', Result: 'exit-code' })],
    ['note unit web.service: it does not run', inForce({ ActiveState: 'inactive' })],
    ['warning unit web.service: it is not enabled', inForce({ UnitFileState: 'disabled' })],
    ['note unit web.service: no manager answers', withUnit({ properties: null })],
    [
      'warning unit web.service: TimeoutStopSec is 55 s, and a stop may take 70 s',
      { instances: [instance({ ...OF_UNIT, apps: [app({ stopMs: 70_000 })] })] },
    ],
    [
      'warning unit web.service: TimeoutStopSec is 55 s, and a stop may take 60 s',
      {
        ...withUnit({ service: serviceUnit({ ...UNIT, startWords: ['app.js', '--stop-delay', '20s'] }) }),
        instances: [instance({ ...OF_UNIT, apps: [app({ stopMs: 40_000 })] })],
      },
    ],
    ['problem unit web.socket: it failed', withUnit({ socketProperties: { ActiveState: 'failed' } })],
    ['warning unit web.socket: it is not enabled', withUnit({ socketProperties: { UnitFileState: 'disabled' } })],
  ])('says %s', (expected, change) => expect(told(change)).toContainEqual(expect.stringContaining(expected)))

  it('says what to type to write it again', () => {
    const [finding] = judgeUnits(facts(withUnit({ node: { path: '/opt/node', runs: false, leadsTo: null } })))
    expect(finding?.fix).toContain('`supervise systemd install --instance web app.js -i 4` in /srv/web')
  })

  it('says it so that a shell takes it, and tells no values of variables', () => {
    const startWords = ["it's 100%.js", '--env', 'TOKEN=a b$c', '--env=KEY=secret', '-i', '4']
    const service = serviceUnit({ ...UNIT, startWords, workingDirectory: '/srv/100%' })
    const [finding] = judgeUnits(facts(withUnit({ service, node: { path: '/opt/node', runs: false, leadsTo: null } })))
    const words = String.raw`'it'\''s 100%.js' --env 'TOKEN=…' '--env=KEY=…' -i 4`
    expect(finding?.fix).toContain(`\`supervise systemd install --instance web ${words}\` in /srv/100%, with`)
  })

  it("judges a user's unit by that user's instance, and the system's by its own", () => {
    const slow = { apps: [app({ stopMs: 70_000 })] }
    const instances = [instance({ ...slow, path: '/run/user/1000/supervise/web' })]
    expect(told({ instances })).toEqual(['fine unit web.service: active, as this version writes it'])
    const service = serviceUnit({ ...UNIT, scope: 'user', user: null })
    expect(told({ ...withUnit({ scope: 'user', service }), instances })).toContainEqual(
      expect.stringContaining('a stop may take 70 s'),
    )
  })
})

describe('milliseconds()', () => {
  it.each([
    ['1min 30s', 90_000],
    ['55s', 55_000],
    ['100ms', 100],
    ['infinity', Infinity],
    ['', null],
    ['soon', null],
  ])('reads %j', (text, expected) => expect(milliseconds(text)).toBe(expected))
})
