import { describe, expect, it } from 'vitest'
import {
  checkUnitDirectory,
  cpuQuotaOf,
  memoryMaxOf,
  runAsOf,
  slotsOf,
  socketAddressOf,
} from '../../src/cli/unit-flags.ts'

describe('socketAddressOf()', () => {
  it.each(['1', '3000', '65535', '127.0.0.1:3000', '[::1]:3000', '[::]:80', '/run/web.sock', '/run/100% of it.sock'])(
    'takes %j',
    (text) => expect(socketAddressOf(text)).toBe(text),
  )

  it.each(['', '0', '65536', '3e3', ' 3000', '3000\n', 'localhost:3000', 'web.sock', '127.0.0.1', '127.0.0.1:'])(
    'refuses %j',
    (text) => expect(() => socketAddressOf(text)).toThrow(`Cannot use --socket "${text}"`),
  )

  it.each(['::1:3000', '[127.0.0.1]:3000', 'fe80::1%eth0:3000', '[fe80::1%eth0]:3000', '[::1:3000', '[]:3000'])(
    'refuses %j, which systemd reads as something else or not at all',
    (text) => expect(() => socketAddressOf(text)).toThrow('it is no port, no address'),
  )

  it.each(['/run/a\nListenStream=22', '/run/a\r', '/run/a\\', '/run/a '])('refuses the path %j', (text) =>
    expect(() => socketAddressOf(text)).toThrow('a line of a unit'),
  )
})

describe('checkUnitDirectory()', () => {
  it.each(['/', '/srv/web', '/srv/100% of it', '/srv/a\\b', '/srv/ä'])('takes %j', (text) => checkUnitDirectory(text))

  it.each([
    ['/srv/a\\', 'joins it with the next one'],
    ['/srv/a ', 'loses the space'],
    ['/srv/a\t', 'control character'],
    ['/srv/a\nUser=root', 'control character'],
  ])('refuses %j: %s', (text, why) => expect(() => checkUnitDirectory(text)).toThrow(why))
})

describe('runAsOf()', () => {
  it.each(['www-data', '1000', 'web.user_1'])('takes %j', (text) => expect(runAsOf(text)).toBe(text))
  it.each(['', 'a b', 'a\nb', '%u', 'a:b'])('refuses %j', (text) => expect(() => runAsOf(text)).toThrow('--run-as'))
  it('is nobody else when left out', () => expect(runAsOf(undefined)).toBe(null))
})

describe('slotsOf()', () => {
  it('is what is typed, or as many as the app with most has', () => {
    expect(slotsOf('3', [])).toBe(3)
    expect(slotsOf(undefined, [{ slots: 2 }, { slots: 4 }])).toBe(4)
    expect(slotsOf(undefined, [])).toBe(1)
  })

  it.each(['0', '257', '1.5', 'x'])('refuses %j', (text) => expect(() => slotsOf(text, [])).toThrow('--socket-slots'))
})

describe('memoryMaxOf() and cpuQuotaOf()', () => {
  it.each(['2G', '512M', '50%', '1024'])('takes a memory of %j', (text) => expect(memoryMaxOf(text)).toBe(text))
  it.each(['2GB', '-1', '2G\nUser=root'])('refuses a memory of %j', (text) =>
    expect(() => memoryMaxOf(text)).toThrow('--memory-max'),
  )
  it.each(['150%', '20%'])('takes a quota of %j', (text) => expect(cpuQuotaOf(text)).toBe(text))
  it.each(['150', '0%', '1.5%'])('refuses a quota of %j', (text) =>
    expect(() => cpuQuotaOf(text)).toThrow('--cpu-quota'),
  )
  it('are no limits when left out', () => expect([memoryMaxOf(undefined), cpuQuotaOf(undefined)]).toEqual([null, null]))
})
