// Who is asked, and where.

import { describe, expect, it } from 'vitest'
import type { Probe } from '../../src/config/app-config.ts'
import { probes } from '../../src/config/probe-parsers.ts'
import type { Speech } from '../../src/protocol/messages.ts'
import type { App } from '../../src/supervisor/app.ts'
import { mayBeBack, publicPlaces, targetsOf } from '../../src/supervisor/probe-targets.ts'

interface Listener {
  readonly request: { address: string | null; addressType: 4 | 6 | -1; port: number; flags: number }
  readonly name: { port?: number }
  readonly speaks: Speech | null
}

function tcp(address: string | null, addressType: 4 | 6, speaks: Speech | null = 'http', flags = 0): Listener {
  return { request: { address, addressType, port: 0, flags }, name: { port: 80 }, speaks }
}

function probesOf(input: unknown): readonly Probe[] {
  const parsed = probes.parse(input, '/')
  return parsed.ok ? parsed.value : []
}

/** An app whose workers listen at all of these; of each id the processes, by their states. */
function app(listeners: readonly Listener[], states: readonly (readonly string[])[], config: unknown = []): App {
  const worker = (id: number, state: string, at: number) => ({
    id,
    state,
    pid: id * 10 + at,
    generation: { group: 'green' },
    endpoints: new Map(listeners.map((_, n) => [`k${n}`, `/run/${id}-${at}-${n}.sock`])),
    speech: new Map(listeners.map(({ speaks }, n) => [`k${n}`, speaks])),
  })
  const places = states.map(
    (of, at) => [at + 1, { processes: of.map((state, n) => worker(at + 1, state, n)) }] as const,
  )
  const fake = {
    active: 'green',
    config: { probes: probesOf(config) },
    activeGroup: { wanted: states.length, places: new Map(places) },
    lending: { places: () => listeners.map(({ request, name }, n) => ({ key: `k${n}`, request, name })) },
  }
  // Only what is read of an app is here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return fake as unknown as App
}

const UNIX: Listener = {
  request: { address: '/run/a.sock', addressType: -1, port: -1, flags: 0 },
  name: {},
  speaks: 'h2c',
}

describe('publicPlaces()', () => {
  it.each([
    [tcp(null, 4), { host: '127.0.0.1', port: 80 }],
    [tcp('0.0.0.0', 4), { host: '127.0.0.1', port: 80 }],
    [tcp('192.0.2.7', 4), { host: '192.0.2.7', port: 80 }],
    [tcp('::', 6), { host: '127.0.0.1', port: 80 }],
    [tcp(null, 6), { host: '127.0.0.1', port: 80 }],
    [tcp('::', 6, 'http', 1), { host: '::1', port: 80 }],
    [tcp('::1', 6), { host: '::1', port: 80 }],
    [UNIX, { path: '/run/a.sock' }],
  ])('reaches %j from here', (listener, to) => {
    expect(publicPlaces(app([listener], [['serving']]))).toEqual([{ speaks: listener.speaks, to, name: null }])
  })

  it('leaves out what is no HTTP, and knows nothing when nobody serves', () => {
    expect(publicPlaces(app([tcp(null, 4, null)], [['serving']]))).toEqual([])
    expect(publicPlaces(app([UNIX], [['starting'], []]))).toBe(null)
  })
})

describe('targetsOf()', () => {
  it('asks each worker that serves behind its TLS: the old one until the new one serves', () => {
    const all = app([tcp(null, 4, 'h2')], [['serving', 'starting'], ['draining', 'serving'], ['backoff']], '/p')
    const [open, ...workers] = targetsOf(all, publicPlaces(all) ?? [], 'secret')
    expect(open).toMatchObject({ name: 'public', questions: [{ path: '/p', place: { speaks: 'h2' } }] })
    expect(Object.entries(open?.questions[0]?.headers ?? {})[0]).toEqual(['x-supervise-probe', 'secret'])
    expect(workers.map(({ name, questions }) => [name, questions[0]?.place])).toEqual([
      ['green 1', { speaks: 'h2c', to: { path: '/run/1-0-0.sock' }, name: null }],
      ['green 2', { speaks: 'h2c', to: { path: '/run/2-1-0.sock' }, name: null }],
    ])
    expect(workers.some(({ questions }) => 'x-supervise-probe' in (questions[0]?.headers ?? {}))).toBe(false)
  })

  it.each([
    ['https://shop.example/a?b=1', 'https', { host: 'shop.example', port: 443 }, '/a?b=1', 'shop.example'],
    ['http://[::1]:81/', 'http', { host: '::1', port: 81 }, '/', '[::1]:81'],
  ])('asks %s as any client would', (url, speaks, to, path, host) => {
    const all = app([], [['serving']], { url })
    expect(targetsOf(all, [], 'secret')).toMatchObject([
      { name: 'url', questions: [{ path, headers: { host }, place: { speaks, to, name: to.host } }] },
    ])
    expect(JSON.stringify(targetsOf(all, [], 'secret'))).not.toContain('secret')
  })
})

it('mayBeBack() forgets workers of the other group, and those that are too many', () => {
  const all = app([UNIX], [['serving'], ['serving']])
  const names = ['public', 'url', 'green 1', 'green 2', 'green 3', 'blue 1']
  expect(names.filter((name) => mayBeBack(all, name))).toEqual(['public', 'url', 'green 1', 'green 2'])
})
