import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { resourceAttributes, workerEnvironment, type WorkerIdentity } from '../../src/supervisor/worker-environment.ts'

const settings = { app: 'web', group: 'blue', release: 'r2', worker: 3 } as const
const identity: WorkerIdentity = { settings, version: '1.4.0', instanceId: 'one' }

const all =
  'service.name=web,service.version=1.4.0,service.instance.id=one,' +
  'supervise.app=web,supervise.group=blue,supervise.release=r2,supervise.worker=3'

describe('resourceAttributes()', () => {
  it('names service, version and process, and where in supervise it is', () => {
    expect(resourceAttributes({}, identity)).toBe(all)
  })

  it('leaves what is not known out', () => {
    expect(resourceAttributes({}, { ...identity, version: null })).not.toContain('service.version')
  })

  it('encodes what would be taken for the list itself', () => {
    const odd = { ...identity, version: 'a,b=c d%é' }
    expect(resourceAttributes({}, odd)).toContain('service.version=a%2Cb%3Dc%20d%25%C3%A9,')
  })

  it.each([
    ['service.version=mine', `service.version=mine,${all.replace('service.version=1.4.0,', '')}`],
    [' team=a , service%2Ename=b,', `team=a , service%2Ename=b,${all.replace('service.name=web,', '')}`],
    ['what=is,%this', `what=is,%this,${all}`],
    ['', all],
  ])('leaves %j of the user as it is, and adds what it does not say', (given, expected) => {
    expect(resourceAttributes({ OTEL_RESOURCE_ATTRIBUTES: given }, identity)).toBe(expected)
  })

  it('does not contradict a service name of the user', () => {
    expect(resourceAttributes({ OTEL_SERVICE_NAME: 'shop' }, identity)).not.toContain('service.name')
    expect(resourceAttributes({ OTEL_SERVICE_NAME: '' }, identity)).toContain('service.name=web')
  })
})

describe('workerEnvironment()', () => {
  it('lets no variable of the app hide who the worker is', () => {
    const env = { SUPERVISE_RELEASE: 'r0', HOME: '/root' }
    const link = { path: '/run/link.sock', settings: settings as never }
    expect(workerEnvironment({ env }, identity, link)).toMatchObject({
      HOME: '/root',
      NODE_APP_INSTANCE: '2',
      SUPERVISE_APP: 'web',
      SUPERVISE_GROUP: 'blue',
      SUPERVISE_RELEASE: 'r2',
      SUPERVISE_WORKER: '3',
    })
  })
  it('adds nothing that docs/reference/environment.md does not tell', () => {
    const page = readFileSync(new URL('../../docs/reference/environment.md', import.meta.url), 'utf8')
    const names = Object.keys(workerEnvironment({ env: {} }, identity, { path: '', settings: settings as never }))
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
    const keys = resourceAttributes({}, identity).match(/(?<=^|,)[^=]+/g) ?? []
    expect(keys.filter((key) => !page.includes(`\`${key}\``))).toEqual([])
  })
})
