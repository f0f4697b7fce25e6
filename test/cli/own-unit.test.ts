import { describe, expect, it } from 'vitest'
import { jobOf, restartsAfterKill, unitIn } from '../../src/cli/own-unit.ts'

describe('unitIn()', () => {
  it.each([
    ['0::/system.slice/web.service', { name: 'web.service', scope: 'system' }],
    ['0::/system.slice/web.service/.control\n', { name: 'web.service', scope: 'system' }],
    ['12:cpu:/\n1:name=systemd:/system.slice/web.service\n0::/', { name: 'web.service', scope: 'system' }],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service', { name: 'web.service', scope: 'user' }],
    ['0::/user.slice/user-1000.slice/user@1000.service/init.scope', null],
    ['0::/user.slice/user-1000.slice/session-3.scope', null],
    ['', null],
  ])('finds the unit in %j', (cgroups, unit) => expect(unitIn(cgroups)).toEqual(unit))
})

it.each([
  ['always', true],
  ['on-failure', true],
  ['on-abnormal', true],
  ['on-abort', true],
  ['no', false],
  ['on-success', false],
  ['on-watchdog', false],
])('restartsAfterKill() of Restart=%s is %j', (restart, expected) => expect(restartsAfterKill(restart)).toBe(expected))

describe('jobOf()', () => {
  const jobs = '  7 web.service    stop    running\n 9 api.service restart running\n 11 db.service start   waiting\n'

  it.each([
    ['web.service', 'stop'],
    ['api.service', 'restart'],
    // Its start took too long: nobody has stopped it.
    ['db.service', 'none'],
    ['b.service', 'none'],
  ])('of %s is %j', (unit, expected) => expect(jobOf(unit, jobs)).toBe(expected))

  it('finds none where there are no jobs', () => expect(jobOf('web.service', '')).toBe('none'))
})
