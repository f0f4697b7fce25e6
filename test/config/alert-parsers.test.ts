import { describe, expect, it } from 'vitest'
import { ALERT_KINDS, kindsOf } from '../../src/config/alert-kinds.ts'
import { receivers } from '../../src/config/alert-parsers.ts'

function parse(input: unknown) {
  const parsed = receivers.parse(input, '/srv')
  return parsed.ok ? parsed.value : null
}

function refusalsOf(input: unknown): string {
  const parsed = receivers.parse(input, '/srv')
  return parsed.ok ? '' : parsed.refusals.map(({ at, problem }) => `${at.join('.')}: ${problem}`).join('\n')
}

function show(url: string): string {
  const parsed = receivers.parse({ on: 'hang', webhook: url }, '/')
  return parsed.ok ? receivers.format(parsed.value) : ''
}

describe('notify', () => {
  it('takes a command, a URL, an object, or a list', () => {
    expect(parse('./tell.sh')).toEqual([{ on: null, hook: { by: 'command', command: './tell.sh', withinMs: 10_000 } }])
    expect(parse(['https://x.example/a', { on: 'crash-loop', command: 'page', within: '2s' }])).toEqual([
      { on: null, hook: { by: 'url', url: 'https://x.example/a', withinMs: 10_000 } },
      { on: ['crash-loop'], hook: { by: 'command', command: 'page', withinMs: 2000 } },
    ])
    expect(parse({ on: ['rollback', 'hang'], webhook: 'http://127.0.0.1:1/' })).toEqual([
      { on: ['rollback', 'hang'], hook: { by: 'url', url: 'http://127.0.0.1:1/', withinMs: 10_000 } },
    ])
  })

  it.each([
    [17, ': 17 is not allowed; write { "on": ["crash-loop"], "webhook": "https://hooks.example.com" }, or a "command"'],
    [{ on: ['crash'] }, 'is not allowed; write { "on"'],
    [{ webhook: 'https://a', command: 'b' }, 'is not allowed; write { "on"'],
    [
      { webhook: 'ftp://a' },
      'webhook: "ftp://a" is not allowed; write a URL such as "https://hooks.example.com/alerts"',
    ],
    [{ webhook: 'https://' }, 'webhook.url: "https://" is not allowed'],
    [{ command: ' ' }, 'command: " " is not allowed; write a command such as'],
    [{ on: 'crash-lop', command: 'x' }, 'on: "crash-lop" is not allowed'],
    [{ on: ['hang', 'nope'], command: 'x' }, 'on.1: "nope" is not allowed'],
    [{ on: [], command: 'x' }, 'on: names no kind of alert; leave it out for every kind'],
    [{ on: 'hang', command: 'x', widthin: '1s' }, 'widthin: is not an option. Did you mean "within"?'],
    [['a', 17], '1: 17 is not allowed'],
  ])('refuses %j', (input, problem) => expect(refusalsOf(input)).toContain(problem))

  it('shows no more of a URL than where it leads, and yet tells two apart', () => {
    expect(show('https://hooks.example.com/T0/secret')).toMatch(
      /^https:\/\/hooks\.example\.com\/… \([0-9a-f]{4}\) on hang$/,
    )
    expect(show('https://hooks.example.com/T0/secret')).not.toBe(show('https://hooks.example.com/T0/other'))
    expect(receivers.format([{ on: null, hook: { by: 'command', command: 'x', withinMs: 1 } }])).toBe('`x`')
  })
})

describe('kindsOf()', () => {
  it('names the kinds of an event, the most telling last', () => {
    const crash = { type: 'workerCrashed', cause: 'worker' }
    expect(kindsOf({ ...crash, data: { reason: 'exit' } })).toEqual(['crash'])
    expect(kindsOf({ ...crash, data: { reason: 'out-of-memory' } })).toEqual(['crash', 'out-of-memory'])
    expect(kindsOf({ type: 'limitReached', cause: 'policy maxMemory' })).toEqual(['memory-limit'])
    expect(kindsOf({ type: 'limitReached', cause: 'policy maxAge' })).toEqual([])
    expect(kindsOf({ type: 'reloaded', cause: 'command by root' })).toEqual([])
  })

  it('every kind is raised by something', () => {
    for (const [kind, { events }] of Object.entries(ALERT_KINDS)) expect(events, kind).not.toEqual([])
  })
})
