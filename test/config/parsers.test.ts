// What each option's parser accepts and how it refuses the rest, through the table: as a flag, a variable or a file would.

import { availableParallelism } from 'node:os'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OPTION_KEYS, OPTIONS } from '../../src/config/options.ts'
import type { OptionKey, OptionSpec } from '../../src/config/options.ts'

function parse(key: OptionKey, input: unknown) {
  const { parser }: OptionSpec<unknown> = OPTIONS[key]
  return parser.parse(input, '/srv')
}

function valueOf(key: OptionKey, input: unknown): unknown {
  const parsed = parse(key, input)
  return parsed.ok ? parsed.value : parsed.refusals
}

function problemOf(key: OptionKey, input: unknown): string {
  const parsed = parse(key, input)
  return parsed.ok
    ? `accepted: ${JSON.stringify(parsed.value)}`
    : parsed.refusals.map(({ problem }) => problem).join('\n')
}

describe('OPTIONS parsers', () => {
  it.each<[OptionKey, unknown, unknown]>([
    ['workers', '4', 4],
    ['workers', 1000, 1000],
    ['workers', 'max', availableParallelism()],
    ['name', 'web-1.eu_west', 'web-1.eu_west'],
    ['script', 'app.js', '/srv/app.js'],
    ['args', `--a 'b c' "d\\"e" f\\ g`, ['--a', 'b c', 'd"e', 'f g']],
    ['args', ['--a', 'b c', 3], ['--a', 'b c', '3']],
    ['envFile', ['.env', '/etc/env'], ['/srv/.env', '/etc/env']],
    ['port', '0', 0],
    ['env', { A: 1, B: true, C: null, D: 'x' }, { A: '1', B: 'true', C: null, D: 'x' }],
    ['env', ['A=1', 'B=x=y', 'C='], { A: '1', B: 'x=y', C: '' }],
    ['ready', 'message', { by: 'message' }],
    ['ready', '/readyz?full=1', { by: 'http', path: '/readyz?full=1' }],
    ['ready', '2s', { by: 'time', afterMs: 2000 }],
    ['ready', { http: '/readyz' }, { by: 'http', path: '/readyz' }],
    ['ready', { after: 0 }, { by: 'time', afterMs: 0 }],
    ['hangTimeout', 0, 0],
    ['treeKill', 'no', false],
    ['stopSignal', 'SIGUSR2', 'SIGUSR2'],
    ['maxMemory', '300M', 314_572_800],
    ['maxMemory', 314_572_800, 314_572_800],
    ['maxMemory', 0, null],
    ['maxAge', '0', null],
    ['maxRequests', '0', null],
    ['maxSurge', '50%', { percent: 50 }],
    ['maxSurge', 2, { workers: 2 }],
    ['watch', true, true],
    ['watch', 'src', ['/srv/src']],
    ['watch.ignore', ['logs', 'build/', './tmp'], ['logs', '/srv/build', '/srv/tmp']],
  ])('%s takes %j', (key, input, value) => {
    expect(valueOf(key, input)).toEqual(value)
  })

  it.each<[OptionKey, unknown, string]>([
    ['workers', 0, '0 is not allowed; write a whole number from 1 to 1000, or "max". Did you mean "max"?'],
    ['workers', '-1', '"-1" is not allowed; write a whole number from 1 to 1000, or "max". Did you mean "max"?'],
    ['workers', 10_000, '10000 is not allowed; write a whole number from 1 to 1000, or "max"'],
    ['workers', 1.5, '1.5 is not allowed; write a whole number from 1 to 1000, or "max"'],
    ['workers', 'auto', '"auto" is not allowed; write a whole number from 1 to 1000, or "max". Did you mean "max"?'],
    ['name', '', '"" is not allowed; write a name such as "web"'],
    [
      'name',
      'shop/web',
      '"shop/web" has a "/"; write letters, digits, ".", "_" and "-" only, since a name becomes part of file names and URLs',
    ],
    [
      'name',
      '..',
      '".." begins with "."; begin with a letter, a digit or "_", since a name becomes part of file names and URLs',
    ],
    [
      'name',
      'a'.repeat(65),
      `"${'a'.repeat(65)}" has 65 characters; write at most 64, since a name becomes part of file names and URLs`,
    ],
    ['script', 3, '3 is not allowed; write a path'],
    ['args', '--name "x', '"--name \\"x" has a quote that does not end'],
    ['args', 3, '3 is not allowed; write a text, or a list of texts'],
    ['args', ['a', {}], '{} is not allowed; write a text'],
    ['env', ['SECRET'], '"SECRET" has no value; write "SECRET=value"'],
    ['env', ['=x'], '"" is no name of a variable; write NAME=value'],
    [
      'env',
      { A: { password: 'hunter2' } },
      'an object is not allowed; write a text, a number, true, false, or null to take the variable away',
    ],
    ['env', 3, '3 is not allowed; write an object such as { "NODE_ENV": "production" }'],
    ['port', 70_000, '70000 is not allowed; write a whole number from 0 to 65535'],
    [
      'ready',
      'listening',
      '"listening" is not allowed; write "listen", "message", { "http": "/readyz" } or { "after": "2s" }. Did you mean "listen"?',
    ],
    ['ready', { htttp: '/x' }, '{"htttp":"/x"} is not allowed; write { "http": "/readyz" } or { "after": "2s" }'],
    [
      'ready',
      { http: 'readyz' },
      '"readyz" is not allowed; write a path that begins with "/", such as "/healthz". Did you mean "/readyz"?',
    ],
    ['ready', { after: 2 }, '2 has no unit; write "2s" or "2ms"'],
    ['readyTimeout', 30, '30 has no unit; write "30s" or "30ms"'],
    ['readyTimeout', '5000', '"5000" has no unit; write "5000s" or "5000ms"'],
    ['readyTimeout', 0, '0 is not allowed; write a duration such as "30s" (units d, h, m, s, ms)'],
    [
      'drainTimeout',
      '30 seconds',
      '"30 seconds" is not allowed; write a duration such as "30s" (units d, h, m, s, ms), or 0. Did you mean "30s"?',
    ],
    ['drainTimeout', -1, '-1 is not allowed; write a duration such as "30s" (units d, h, m, s, ms), or 0'],
    ['maxAge', '30d', '"30d" is too long; write at most "24d"'],
    ['treeKill', 'maybe', '"maybe" is not allowed; write true or false'],
    ['stopSignal', 'TERM', '"TERM" is not allowed; write "SIGTERM"'],
    [
      'stopSignal',
      'SIGTREM',
      '"SIGTREM" is not allowed; write "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2" or "SIGKILL". Did you mean "SIGTERM"?',
    ],
    ['stopSignal', 'SIGUSR1', '"SIGUSR1" starts Node\'s inspector; write "SIGUSR2" or "SIGTERM"'],
    [
      'restart',
      'onfailure',
      '"onfailure" is not allowed; write "always", "on-failure" or "never". Did you mean "on-failure"?',
    ],
    [
      'maxMemory',
      300,
      '300 is not allowed; write a size such as "300M" (units K, M, G) of at least "16M", or 0. Did you mean "300M"?',
    ],
    ['maxMemory', '1M', '"1M" is not allowed; write a size such as "300M" (units K, M, G) of at least "16M", or 0'],
    ['maxSurge', '0%', '"0%" is not allowed; write a whole number from 1 to 1000, or a share from "1%" to "100%"'],
    ['maxSurge', 0, '0 is not allowed; write a whole number from 1 to 1000, or a share from "1%" to "100%"'],
    [
      'liveness.http',
      'https://x/',
      '"https://x/" is not allowed; write a path that begins with "/", such as "/healthz"',
    ],
    ['watch', 3, '3 is not allowed; write true, false, a path, a list of paths or an object'],
    ['slots', null, 'null is not allowed; write a whole number from 1 to 256'],
  ])('%s refuses %j', (key, input, problem) => {
    expect(problemOf(key, input)).toBe(problem)
  })

  it('refuse or accept anything without throwing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPTION_KEYS), fc.jsonValue(), (key, input) => {
        const parsed = parse(key, input)
        expect(parsed.ok || parsed.refusals.length > 0).toBe(true)
      }),
    )
  })

  it('args: words come back as they were, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', ' ', '"', "'", '\\', '\n', '=') })), (list) => {
        const quoted = list.map((word) => `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(' ')
        expect(valueOf('args', quoted)).toEqual(list)
      }),
    )
  })
})
