import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HOLD_MS, MAX_BYTES, MAX_LINES, RecordJoiner } from '../../src/telemetry/record-joiner.ts'

function joiner() {
  const records: string[] = []
  const times: string[] = []
  let clock = 0
  const one = new RecordJoiner(
    (text, time) => {
      records.push(text)
      times.push(time)
    },
    () => String(clock++),
  )
  const push = (text: string): void => {
    for (const line of text.split('\n')) one.push(line, false)
  }
  return { one, push, records, times }
}

/** The records of what comes at once. */
function join(text: string): readonly string[] {
  const { one, push, records } = joiner()
  push(text)
  one.flush()
  return records
}

describe('RecordJoiner', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it.each([
    ['a stack trace', 'Error: boom\n    at a (x.js:1:1)\n    at b (y.js:2:2)'],
    [
      'a cause and fields',
      'Error: boom\n    at a (x.js:1:1) {\n  code: 1,\n  [cause]: Error: c\n      at d (z.js:1:1)\n}',
    ],
    ['a coloured trace', 'Error: x\n    at a\n\u001B[90m    at b\u001B[39m {\n  \u001B[32mcode\u001B[39m: 1\n}'],
    ['a message of several lines', 'AssertionError [ERR_ASSERTION]: not equal:\n\n1 !== 2\n\n    at x.js:1:1'],
    ['an object', '{\n  a: 1,\n  b: [\n    2\n  ]\n}'],
    ['an indented list', 'routes:\n  GET /\n\tPOST /'],
  ])('keeps %s together', (_name, text) => {
    expect(join(`before\n${text}\nafter`)).toEqual(['before', text, 'after'])
  })

  it('keeps what this Node itself says of an uncaught exception together', () => {
    const { stderr } = spawnSync(process.execPath, ['-e', 'null.x'], { encoding: 'utf8' })
    const text = stderr.trimEnd()
    expect(text).toContain('Node.js v')
    expect(join(text)).toEqual([text])
  })

  it.each([
    ['plain lines', 'one\ntwo\nthree'],
    ['errors without a trace', 'Error: one\nError: two\nthen this\nand that'],
    ['JSON, whatever comes behind it', '{"msg":"a"}\n  indented\n{"b":1}'],
    ['closing brackets of nobody', '}\n]'],
    ['empty lines', 'a\n\nb'],
  ])('leaves %s alone', (_name, text) => {
    expect(join(text)).toEqual(text.split('\n'))
  })

  it('holds nothing back that looks whole', () => {
    const { one, push, records } = joiner()
    for (const line of ['GET / 200', '{"level":30,"msg":"TypeError: no"}', 'listening on 3000']) {
      push(line)
      one.pause()
      expect(records.at(-1)).toBe(line)
    }
    expect(vi.getTimerCount()).toBe(0)
  })

  it('holds what may go on for its stated time at most, though more comes all the time', async () => {
    const { one, push, records } = joiner()
    push('Error: x')
    one.pause()
    expect(records).toEqual([])
    await vi.advanceTimersByTimeAsync(HOLD_MS - 1)
    push('    at a')
    one.pause()
    expect(records).toEqual([])
    await vi.advanceTimersByTimeAsync(2)
    expect(records).toEqual(['Error: x\n    at a'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives a record the time of its first line', () => {
    const { one, push, times } = joiner()
    push('Error: x\n    at a\nlater')
    one.flush()
    expect(times).toEqual(['0', '1'])
  })

  it('has bounds in lines and in bytes', () => {
    const many = join(['Error: x', ...Array.from({ length: 1000 }, (_, line) => `    at ${line}`)].join('\n'))
    expect(Math.max(...many.map((record) => record.split('\n').length))).toBe(MAX_LINES)
    const large = join(['Error: x', ...Array.from({ length: 100 }, () => `    at ${'x'.repeat(5000)}`)].join('\n'))
    expect(Math.max(...large.map((record) => record.length))).toBeLessThanOrEqual(MAX_BYTES + 1000)
    expect(large.length).toBeGreaterThan(5)
  })

  it('passes pieces of a line on at once, in order', () => {
    const { one, push, records } = joiner()
    push('Error: x')
    one.push('piece', true)
    expect(records).toEqual(['Error: x', 'piece'])
  })

  it('loses, changes and reorders no line, whatever comes', () => {
    const line = fc.constantFrom(
      '',
      'a',
      '  b',
      'Error: c',
      '    at d',
      '}',
      '/x.js:1',
      '  ^',
      '{"e":1}',
      'Node.js v1',
      'f:',
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(line, fc.boolean()), { maxLength: 300 }), (steps) => {
        const { one, records } = joiner()
        for (const [text, isPause] of steps) {
          one.push(text, false)
          if (isPause) one.pause()
        }
        one.flush()
        expect(records.join('\n')).toBe(steps.map(([text]) => text).join('\n'))
      }),
    )
  })
})
