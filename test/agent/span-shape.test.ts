import { describe, expect, it } from 'vitest'
import type { TracedRequest } from '../../src/agent/request-trace.ts'
import { parentOf, shapeOf, tracesUrl } from '../../src/agent/span-shape.ts'

const GET: TracedRequest = {
  method: 'GET',
  isKnown: true,
  target: '/a/b?c=d',
  host: 'example.com',
  scheme: 'https',
  version: '1.1',
  traceparent: '',
  tracestate: '',
  status: 200,
  beganAt: 1,
  endedAt: 2,
}

describe('shapeOf()', () => {
  it('says what OpenTelemetry says of a request, without its query', () => {
    expect(shapeOf(GET)).toEqual({
      name: 'GET',
      attributes: {
        'http.request.method': 'GET',
        'url.scheme': 'https',
        'url.path': '/a/b',
        'server.address': 'example.com',
        'network.protocol.version': '1.1',
        'http.response.status_code': 200,
      },
      isError: false,
    })
  })

  it.each([
    ['example.com:8080', { 'server.address': 'example.com', 'server.port': 8080 }],
    ['[::1]:3000', { 'server.address': '::1', 'server.port': 3000 }],
    ['[::1]', { 'server.address': '::1' }],
    ['', {}],
    ['a:b:c', {}],
    [':80', {}],
  ])('reads the host %j', (host, expected) => {
    const told = Object.entries(shapeOf({ ...GET, host }).attributes).filter(([key]) => key.startsWith('server.'))
    expect(Object.fromEntries(told)).toEqual(expected)
  })

  it.each([
    ['/', '/'],
    ['?a', '/'],
    ['*', '*'],
    ['/a#b', '/a'],
    ['http://other:81/x?y', '/x'],
    ['HTTP://other', '/'],
  ])('reads the target %j', (target, path) => {
    expect(shapeOf({ ...GET, target }).attributes['url.path']).toBe(path)
  })

  it('takes the server from a target that names it', () => {
    expect(shapeOf({ ...GET, target: 'http://other:81/x' }).attributes).toMatchObject({
      'server.address': 'other',
      'server.port': 81,
    })
  })

  it.each([
    [404, undefined, false],
    [500, '500', true],
    [599, '599', true],
    [0, 'aborted', true],
  ])('takes status %d for error %s', (status, error, isError) => {
    const shape = shapeOf({ ...GET, status })
    expect([shape.attributes['error.type'], shape.isError]).toEqual([error, isError])
    expect('http.response.status_code' in shape.attributes).toBe(status !== 0)
  })

  it('does not let clients make up names', () => {
    expect(shapeOf({ ...GET, method: 'PROPFIND', isKnown: false })).toMatchObject({
      name: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' },
    })
  })
})

describe('parentOf()', () => {
  const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']

  it.each([
    [`00-${traceId}-${spanId}-01`, 1],
    [`00-${traceId}-${spanId}-00`, 0],
    [`cc-${traceId}-${spanId}-01-what-comes-later`, 1],
  ])('reads %s', (text, traceFlags) => expect(parentOf(text)).toEqual({ traceId, spanId, traceFlags }))

  it.each([
    '',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
  ])('takes %j for none', (text) => expect(parentOf(text)).toBeNull())
})

describe('tracesUrl()', () => {
  it.each([
    ['http://localhost:4318', 'http://localhost:4318/v1/traces'],
    ['http://localhost:4318/', 'http://localhost:4318/v1/traces'],
    ['https://a/otlp/?key=1', 'https://a/otlp/v1/traces?key=1'],
    ['https://a/v1/traces', 'https://a/v1/traces'],
    ['https://a/v1/traces/', 'https://a/v1/traces'],
  ])('makes of %s', (otlp, url) => expect(tracesUrl(otlp)).toBe(url))
})
