import { describe, expect, it } from 'vitest'
import { probes } from '../../src/config/probe-parsers.ts'

const PLAIN = { everyMs: 10_000, withinMs: 2000, failures: 3, status: null, body: null }

function parse(input: unknown) {
  const parsed = probes.parse(input, '/srv')
  return parsed.ok ? parsed.value : null
}

function refusalsOf(input: unknown): string {
  const parsed = probes.parse(input, '/srv')
  return parsed.ok ? '' : parsed.refusals.map(({ at, problem }) => `${at.join('.')}: ${problem}`).join('\n')
}

describe('probes', () => {
  it('takes a path, a URL, an object, or a list', () => {
    expect(parse('/healthz')).toEqual([{ name: '/healthz', what: { by: 'path', path: '/healthz' }, ...PLAIN }])
    const url = 'https://www.example.com/shop?key=1'
    expect(parse(url)).toEqual([{ name: 'www.example.com/shop', what: { by: 'url', url }, ...PLAIN }])
    const full = {
      name: 'pay',
      path: '/pay',
      every: '5s',
      within: '1s',
      failures: 1,
      expect: { status: 301, body: 'x' },
    }
    expect(parse([full, '/'])).toEqual([
      {
        name: 'pay',
        what: { by: 'path', path: '/pay' },
        everyMs: 5000,
        withinMs: 1000,
        failures: 1,
        status: 301,
        body: 'x',
      },
      { name: '/', what: { by: 'path', path: '/' }, ...PLAIN },
    ])
  })

  it('waits for an answer no longer than until the next question', () => {
    expect(parse({ path: '/', every: '1s' })).toMatchObject([{ everyMs: 1000, withinMs: 1000 }])
  })

  it.each([
    [17, '17 is not allowed; write { "path": "/healthz" } or { "url": "https://www.example.com/" }'],
    [{ every: '5s' }, 'is not allowed; write { "path": "/healthz" } or { "url"'],
    [{ url: 'https://a.example', path: '/' }, 'has both a "url" and a "path"; write two probes, one with each'],
    ['healthz', '"healthz" is not allowed; write a path such as "/healthz"'],
    [{ path: 'healthz' }, 'path: "healthz" is not allowed; write a path that begins with "/"'],
    [{ url: 'ftp://a.example' }, 'url: "ftp://a.example" is not allowed; write a URL such as'],
    ['https://', '"https://" is not allowed; write a URL such as'],
    [{ path: '/', every: 0 }, 'every: 0 is not allowed; write a duration such as "10s"'],
    [{ path: '/', every: '500ms' }, 'every: "500ms" is too short; write at least "1s"'],
    [{ path: '/', within: '0' }, 'within: "0" is not allowed'],
    [{ path: '/', within: '20s' }, 'within: "20s" is longer than every, which is "10s"; write at most that'],
    [{ path: '/', failures: 0 }, 'failures: 0 is not allowed; write a whole number from 1'],
    [{ path: '/', expect: 200 }, 'expect: 200 is not allowed; write { "status": 200, "body": "ok" }'],
    [{ path: '/', expect: { status: 42 } }, 'expect.status: 42 is not allowed'],
    [{ path: '/', expect: { boddy: 'x' } }, 'expect.boddy: is not an option. Did you mean "body"?'],
    [{ path: '/', name: '' }, 'name: "" is not allowed; write a name'],
    [{ path: '/', evry: '5s' }, 'evry: is not an option. Did you mean "every"?'],
    [['/a', '/b', '/a'], '2: two probes are called "/a"; give one of them another "name"'],
    [Array.from({ length: 21 }, (_, n) => `/${n}`), 'are 21; write at most 20'],
  ])('refuses %j', (input, problem) => expect(refusalsOf(input)).toContain(problem))

  it('never shows a password', () => {
    const refusals = refusalsOf({ url: 'https://me:secret@www.example.com/a' })
    expect(refusals).toContain('url: has a user or a password')
    expect(refusals).toContain('write "https://www.example.com/a" alone')
    expect(refusals).not.toContain('secret')
  })

  it('shows all that makes one differ from another', () => {
    const texts = [
      '/a',
      { path: '/a', name: 'a' },
      { path: '/a', every: '11s' },
      { path: '/a', within: '1s' },
      { path: '/a', failures: 2 },
      { path: '/a', expect: { status: 200 } },
      { path: '/a', expect: { body: '200' } },
      { url: 'http://a.example/a' },
    ].map((one) => probes.format(parse(one) ?? []))
    expect(new Set(texts).size).toBe(8)
    expect(texts[0]).toBe('/a every 10s within 2s failures 3')
  })
})
