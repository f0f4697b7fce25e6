import { describe, expect, it } from 'vitest'
import { otlpUrl } from '../../src/config/tracing-parsers.ts'

const parse = (input: unknown) => otlpUrl.parse(input, '/')

describe('otlpUrl', () => {
  it.each(['http://localhost:4318', 'https://otlp.example.com/v1/traces', 'HTTP://[::1]:4318/base?key=1'])(
    'takes %s',
    (url) => expect(parse(` ${url} `)).toEqual({ ok: true, value: url }),
  )

  it.each([
    [
      'localhost:4318',
      /"localhost:4318" is not allowed; write the URL of an OTLP collector.* mean "http:\/\/localhost/,
    ],
    ['grpc://localhost:4317', /write the URL/],
    ['http://', /write the URL/],
    ['yes', /write the URL/],
    [4318, /write the URL/],
    [{ url: 'http://a' }, /write the URL/],
    ['http://a/#b', /write the URL/],
    ['http://me:secret@localhost', /^has a password in it; write it into the variable OTEL_EXPORTER_OTLP_HEADERS/],
  ])('refuses %j and says what to write', (input, problem) => {
    const parsed = parse(input)
    const told = parsed.ok ? [] : parsed.refusals
    expect(told).toEqual([expect.objectContaining({ problem: expect.stringMatching(problem) })])
    expect(JSON.stringify(told)).not.toContain('secret')
  })
})
