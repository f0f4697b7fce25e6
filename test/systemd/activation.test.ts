import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeActivation } from '../../src/systemd/activation.ts'
import { takeManagerVariables } from '../../src/systemd/notifier.ts'

const NAME = fc.stringMatching(/^[a-z]{1,8}$/)

describe('takeActivation()', () => {
  it('numbers descriptors from 3 on and names them, and takes the variables away (Y6)', () => {
    fc.assert(
      fc.property(fc.array(NAME, { maxLength: 9 }), fc.integer({ min: 1, max: 4_194_304 }), (names, pid) => {
        const environment = {
          LISTEN_PID: String(pid),
          LISTEN_FDS: String(names.length),
          LISTEN_FDNAMES: names.join(':'),
          PATH: '/bin',
        }
        const { descriptors, problem } = takeActivation(environment, pid)
        expect(problem).toBe(null)
        expect(descriptors.map(({ fd }) => fd)).toEqual(names.map((_name, index) => index + 3))
        expect(descriptors.map(({ name }) => name)).toEqual(names)
        expect(environment).toEqual({ PATH: '/bin' })
      }),
    )
  })

  it('calls those without a name unknown', () => {
    const { descriptors } = takeActivation({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7)
    expect(descriptors).toEqual([
      { fd: 3, name: 'unknown' },
      { fd: 4, name: 'unknown' },
    ])
  })

  it('leaves alone what is meant for another process, and says how that comes', () => {
    const { descriptors, problem } = takeActivation({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 8)
    expect(descriptors).toEqual([])
    expect(problem).toContain('without a shell or npx between')
  })

  it.each(['', 'two', '-1', '1.5', '99999999999'])('refuses LISTEN_FDS=%j', (count) => {
    const { descriptors, problem } = takeActivation({ LISTEN_PID: '7', LISTEN_FDS: count }, 7)
    expect(descriptors).toEqual([])
    expect(problem).toContain('whole numbers')
  })

  it('finds nothing where no manager passed anything', () => {
    expect(takeActivation({ PATH: '/bin' }, 7)).toEqual({ descriptors: [], problem: null })
  })
})

describe('takeManagerVariables()', () => {
  it('takes them away, and knows the watchdog in milliseconds', () => {
    const environment = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7', PATH: '/bin' }
    expect(takeManagerVariables(environment, 7)).toEqual({ socket: '/run/notify', watchdogMs: 3000 })
    expect(environment).toEqual({ PATH: '/bin' })
  })

  it.each([
    { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' },
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: 'soon' },
    { NOTIFY_SOCKET: '' },
    {},
  ])('expects nothing of %j', (environment) => {
    expect(takeManagerVariables({ ...environment }, 7)).toEqual({ socket: null, watchdogMs: null })
  })
})
