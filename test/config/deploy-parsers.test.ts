// What the options about deploying accept and how they refuse the rest, through the table.

import { describe, expect, it } from 'vitest'
import { OPTIONS } from '../../src/config/options.ts'
import type { OptionKey, OptionSpec } from '../../src/config/options.ts'

function parse(key: OptionKey, input: unknown) {
  const { parser }: OptionSpec<unknown> = OPTIONS[key]
  return parser.parse(input, '/srv')
}

const http = { by: 'http', path: '/', status: null, body: null, withinMs: 5000, attempts: 1 }

describe('OPTIONS of deploys', () => {
  it.each<[OptionKey, unknown, unknown]>([
    ['strategy', 'rolling', 'rolling'],
    ['autoPromote', 'no', false],
    ['bake', 0, 0],
    ['bakeMinRequests', '300', 300],
    ['maxErrorRatio', '5%', 0.05],
    ['maxErrorRatio', '0.5%', 0.005],
    ['maxErrorRatio', 0.05, 0.05],
    ['maxErrorRatio', '1', 1],
    ['maxErrorRatio', 0, 0],
    ['abortDelay', '5m', 300_000],
    ['rollbackWindow', '1h', 3_600_000],
    ['progressDeadline', '90s', 90_000],
    ['preview', '127.0.0.1:3001', { host: '127.0.0.1', port: 3001 }],
    ['preview', '[::1]:3001', { host: '::1', port: 3001 }],
    ['preview', 'preview.local:80', { host: 'preview.local', port: 80 }],
    ['preview', './preview.sock', { path: '/srv/preview.sock' }],
    ['groupHeader', 's3cret-s3cret', 's3cret-s3cret'],
    ['releaseHeader', 'X-Release', 'x-release'],
    ['releaseHeader', false, false],
    ['releaseHeader', 'false', false],
    ['smoke', 'npm run smoke', [{ by: 'command', command: 'npm run smoke', withinMs: 60_000 }]],
    ['smoke', ['a', 'b'], ['a', 'b'].map((command) => ({ by: 'command', command, withinMs: 60_000 }))],
    ['smoke', { command: 'a', within: '1s' }, [{ by: 'command', command: 'a', withinMs: 1000 }]],
    ['smoke', { http: '/' }, [http]],
    [
      'smoke',
      [{ http: '/x', status: 404, body: 'no', within: '1s', attempts: 3 }],
      [{ by: 'http', path: '/x', status: 404, body: 'no', withinMs: 1000, attempts: 3 }],
    ],
    ['smoke', [], []],
    ['hooks.event', './tell.sh --all', { by: 'command', command: './tell.sh --all', withinMs: 30_000 }],
    ['hooks.event', 'https://x.example/h', { by: 'url', url: 'https://x.example/h', withinMs: 30_000 }],
    ['hooks.event', { command: 'a', within: '1s' }, { by: 'command', command: 'a', withinMs: 1000 }],
    ['hooks.event', { url: 'http://x/' }, { by: 'url', url: 'http://x/', withinMs: 30_000 }],
  ])('%s takes %j', (key, input, value) => {
    expect(parse(key, input)).toEqual({ ok: true, value })
  })

  it.each<[OptionKey, unknown, string, string]>([
    ['maxErrorRatio', 5, '', '5 is not allowed; write a share such as "5%" or 0.05. Did you mean "5%"?'],
    ['maxErrorRatio', '120%', '', '"120%" is not allowed; write a share such as "5%" or 0.05'],
    ['maxErrorRatio', true, '', 'true is not allowed; write a share such as "5%" or 0.05'],
    [
      'strategy',
      'bluegreen',
      '',
      '"bluegreen" is not allowed; write "blue-green" or "rolling". Did you mean "blue-green"?',
    ],
    [
      'preview',
      3001,
      '',
      '3001 is not allowed; write an address such as "127.0.0.1:3001", or the path of a Unix socket such as "./preview.sock". Did you mean "127.0.0.1:3001"?',
    ],
    [
      'preview',
      'http://127.0.0.1:3001/',
      '',
      '"http://127.0.0.1:3001/" is not allowed; write an address such as "127.0.0.1:3001", or the path of a Unix socket such as "./preview.sock"',
    ],
    [
      'preview',
      'localhost:70000',
      '',
      '"localhost:70000" is not allowed; write an address such as "127.0.0.1:3001", or the path of a Unix socket such as "./preview.sock"',
    ],
    [
      'preview',
      `/${'x'.repeat(103)}`,
      '',
      `${JSON.stringify(`/${'x'.repeat(103)}`).slice(0, 77)}... is too long for a socket; write a path of at most 103 bytes`,
    ],
    ['groupHeader', 'short', '', 'is no secret; write 8 to 200 letters, digits, ".", "_", "~", "+", "/", "=" or "-"'],
    ['groupHeader', true, '', 'is no secret; write 8 to 200 letters, digits, ".", "_", "~", "+", "/", "=" or "-"'],
    [
      'releaseHeader',
      'x release',
      '',
      '"x release" is not allowed; write a name such as "x-supervise-release", or false',
    ],
    [
      'releaseHeader',
      'Content-Length',
      '',
      '"Content-Length" has a meaning of its own in HTTP; write a name such as "x-supervise-release", or false',
    ],
    ['smoke', '', '', '"" is not allowed; write a command, { "command": "npm run smoke" } or { "http": "/healthz" }'],
    [
      'smoke',
      ['a', 3],
      '1',
      '3 is not allowed; write a command, { "command": "npm run smoke" } or { "http": "/healthz" }',
    ],
    ['smoke', { command: 3 }, 'command', '3 is not allowed; write a text'],
    ['smoke', { http: '/', status: '2xx' }, 'status', '"2xx" is not allowed; write a whole number from 100 to 599'],
    [
      'smoke',
      { http: '/', colour: 1 },
      'colour',
      'is not allowed here; there is "http", "status", "body", "within" or "attempts"',
    ],
    ['smoke', [{ http: '/', attempts: 0 }], 'attempts', '0 is not allowed; write a whole number from 1 to 1000'],
    ['hooks.event', 3, '', '3 is not allowed; write a command, a URL, or { "command": "./tell.sh", "within": "30s" }'],
    [
      'hooks.event',
      { url: 'http://x/', command: 'a' },
      '',
      '{"url":"http://x/","command":"a"} is not allowed; write a command, a URL, or { "command": "./tell.sh", "within": "30s" }',
    ],
    [
      'hooks.event',
      { url: 'x.example' },
      'url',
      '"x.example" is not allowed; write a URL such as "https://hooks.example.com/deploys"',
    ],
    [
      'hooks.event',
      'http://',
      'url',
      '"http://" is not allowed; write a URL such as "https://hooks.example.com/deploys"',
    ],
  ])('%s refuses %j', (key, input, at, problem) => {
    const parsed = parse(key, input)
    expect(parsed.ok ? [] : parsed.refusals.map((one) => [one.at.join('.'), one.problem])).toEqual([[at, problem]])
  })
})
