import { describe, expect, it } from 'vitest'
import { isBelow, levelOf, soundsLike, withPriority } from '../../src/telemetry/levels.ts'

describe('levelOf()', () => {
  it.each([
    [{ level: 30 }, 'info'],
    [{ level: 35 }, 'info'],
    [{ level: 60 }, 'fatal'],
    [{ level: 90 }, 'fatal'],
    [{ level: 10 }, 'trace'],
    [{ level: 'WARN' }, 'warn'],
    [{ level: 'warning' }, 'warn'],
    [{ severity: 'CRITICAL' }, 'fatal'],
    [{ 'log.level': 'debug' }, 'debug'],
    [{ level: 3 }, null],
    [{ level: 'loud' }, null],
    [{ level: null }, null],
    [{ level: Number.NaN }, null],
    [{}, null],
  ])('reads %j as %s', (own, level) => {
    expect(levelOf(own)).toBe(level)
  })

  it('reads no field that every object has', () => {
    expect(levelOf(Object.create({ level: 30 }))).toBeNull()
  })
})

describe('isBelow() and soundsLike()', () => {
  it('order levels, and take a line without one for info, on stderr for an error', () => {
    expect([isBelow('debug', 'info'), isBelow('info', 'info'), isBelow('fatal', 'error')]).toEqual([true, false, false])
    expect(soundsLike({ stream: 'stdout' })).toBe('info')
    expect(soundsLike({ stream: 'stderr' })).toBe('error')
    expect(soundsLike({ stream: 'stderr', level: 'debug' })).toBe('debug')
  })
})

describe('withPriority()', () => {
  it('marks every line, and no more lines than there are', () => {
    expect(withPriority('one\n', 'info')).toBe('<6>one\n')
    expect(withPriority('one\ntwo\n', 'error')).toBe('<3>one\n<3>two\n')
    expect(withPriority('{"a":1}', 'fatal')).toBe('<2>{"a":1}\n')
  })
})
