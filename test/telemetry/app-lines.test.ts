import { describe, expect, it } from 'vitest'
import { appLineFormat } from '../../src/telemetry/app-lines.ts'
import type { LogRecord } from '../../src/control/messages.ts'
import { chooseFormat, Labels, wantsColor } from '../../src/telemetry/pretty.ts'

const TIME = '2026-11-22T08:00:00.000Z'

function line(text: string, more: Partial<LogRecord> = {}): LogRecord {
  const origin = { app: 'web', group: 'blue', release: 'r1', worker: 2, pid: 77 } as const
  return { time: TIME, ...origin, stream: 'stdout', line: text, ...more }
}

describe('appLineFormat() as JSON', () => {
  const format = appLineFormat('json', new Labels(false))

  it('wraps a line with who wrote it, in a fixed order', () => {
    expect(format(line('a "quoted"\tline\u0007'))).toBe(
      `{"time":"${TIME}","app":"web","group":"blue","release":"r1","worker":2,"pid":77,"stream":"stdout","msg":"a \\"quoted\\"\\tline\\u0007"}\n`,
    )
  })

  it('names each worker, also when their lines alternate', () => {
    const workers = [1, 2, 1].map((worker) => parsed(format(line('x', { worker, pid: worker }))).worker)
    expect(workers).toEqual([1, 2, 1])
  })

  it("adds fields behind an app's own JSON and leaves its bytes alone", () => {
    const own = '{"level":30, "id":12345678901234567890,"msg":"hi"} '
    expect(format(line(own))).toBe(
      `{"level":30, "id":12345678901234567890,"msg":"hi","app":"web","group":"blue","release":"r1","worker":2,"time":"${TIME}","pid":77,"stream":"stdout"}\n`,
    )
    expect(parsed(format(line('{ }')))).toMatchObject({ app: 'web', worker: 2 })
  })

  it("never overwrites an app's field: its own stays, ours gets a prefix or stays away", () => {
    const own = { app: 'mine', worker: 'w', time: 1, pid: 2, stream: 's', release: null }
    expect(parsed(format(line(JSON.stringify(own))))).toEqual({
      ...own,
      supervise_app: 'web',
      group: 'blue',
      supervise_release: 'r1',
      supervise_worker: 2,
      supervise_time: TIME,
    })
  })

  it('takes what only looks like JSON as text', () => {
    for (const text of ['{not json}', '[1,2]', '"text"', '{"a":1', '{"a":1} {"b":2}', 'null', '']) {
      expect(parsed(format(line(text))).msg).toBe(text)
    }
  })

  it('marks a piece of a line, and does not take it as JSON', () => {
    expect(parsed(format(line('{"a":1}', { continues: true })))).toMatchObject({ msg: '{"a":1}', continues: true })
  })
})

describe('appLineFormat() for people', () => {
  it('begins with app and worker, marks stderr, and keeps labels equally wide', () => {
    const format = appLineFormat('pretty', new Labels(false))
    expect(format(line('hello', { worker: 12 }))).toBe('web·12 | hello\n')
    expect(format(line('oh no', { stream: 'stderr' }))).toBe('web·2  ! oh no\n')
    expect(format(line('part', { continues: true }))).toBe('web·2  | part …\n')
    expect(format(line('Error: x\n    at y'))).toBe('web·2  | Error: x\nweb·2  |     at y\n')
  })

  it('gives workers different colours, and the text as the app wrote it', () => {
    const format = appLineFormat('pretty', new Labels(true))
    const [one, two] = [1, 2].map((worker) => format(line('\u001b[1mbold\u001b[0m', { worker })))
    expect(one).toContain('mweb·1\u001b[39m ')
    expect(one?.endsWith(' \u001b[1mbold\u001b[0m\n')).toBe(true)
    expect(one?.slice(0, 5)).not.toBe(two?.slice(0, 5))
  })
})

describe('chooseFormat() and wantsColor()', () => {
  it('is pretty on a terminal and JSON elsewhere, unless told', () => {
    expect([chooseFormat('auto', true), chooseFormat('auto', false), chooseFormat('json', true)]).toEqual([
      'pretty',
      'json',
      'json',
    ])
  })

  it('follows FORCE_COLOR, NO_COLOR and TERM in this order', () => {
    expect(wantsColor({}, true)).toBe(true)
    expect(wantsColor({}, false)).toBe(false)
    expect(wantsColor({ TERM: 'dumb' }, true)).toBe(false)
    expect(wantsColor({ NO_COLOR: '1' }, true)).toBe(false)
    expect(wantsColor({ NO_COLOR: '1', FORCE_COLOR: '1' }, false)).toBe(true)
    expect(wantsColor({ FORCE_COLOR: '0' }, true)).toBe(false)
  })
})

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text)
}
