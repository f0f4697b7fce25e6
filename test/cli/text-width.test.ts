import { describe, expect, it } from 'vitest'
import { coloured } from '../../src/cli/paint.ts'
import { oneLine, padEnd, padStart, textWidth, truncate, wrap } from '../../src/cli/text-width.ts'

describe('textWidth()', () => {
  it.each([
    ['web', 3],
    ['● ready', 7],
    ['日本', 4],
    ['e\u0301', 1],
    ['👩‍👩‍👧 ok', 5],
    ['한글', 4],
    ['\u001b[31mred\u001b[39m', 3],
    ['a\u200bb', 2],
  ])('%j takes %d columns', (text, columns) => expect(textWidth(text)).toBe(columns))
})

describe('truncate()', () => {
  it('leaves what fits', () => expect(truncate('web', 3)).toBe('web'))
  it('ends in an ellipsis', () => expect(truncate('website', 4)).toBe('web…'))
  it('never cuts a wide character in two', () => expect(truncate('日本語', 4)).toBe('日…'))
  it('ends colours that it cuts', () => {
    expect(truncate(coloured('red', 'website'), 4)).toBe('\u001b[31mweb…\u001b[0m')
  })
  it('has nothing to show in no columns', () => expect(truncate('web', 0)).toBe(''))
})

describe('padEnd() and padStart()', () => {
  it('count columns, not characters', () => {
    expect(padEnd('日', 4)).toBe('日  ')
    expect(padStart(coloured('red', 'a'), 3)).toBe(`  ${coloured('red', 'a')}`)
  })
})

describe('oneLine()', () => {
  it('takes away all that could move the cursor', () => {
    expect(oneLine('a\u001b[2Jb\r\nc\td\u0007')).toBe('ab c d')
  })
})

describe('wrap()', () => {
  it.each([
    ['', 10, ['']],
    ['one two three', 20, ['one two three']],
    ['one two three', 7, ['one two', 'three']],
    ['see /a/long/path here', 6, ['see', '/a/lon', 'g/path', 'here']],
    ['日本語 x', 4, ['日本', '語 x']],
    ['one two', Infinity, ['one two']],
  ])('breaks %j at %i columns', (text, columns, lines) => expect(wrap(text, columns)).toEqual(lines))

  it('puts the indent before each line, and always gets on', () => {
    expect(wrap('one two', 6, '  ')).toEqual(['  one', '  two'])
    expect(wrap('ab', 1, '  ')).toEqual(['  a', '  b'])
  })
})
