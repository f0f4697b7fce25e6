import { describe, expect, it } from 'vitest'
import { choosePaint, coloured, plain } from '../../src/cli/paint.ts'

const terminal = { isTerminal: true, refused: false, environment: {} }

describe('choosePaint()', () => {
  it('paints on a terminal and nowhere else', () => {
    expect(choosePaint(terminal)).toBe(coloured)
    expect(choosePaint({ ...terminal, isTerminal: false })).toBe(plain)
  })

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }])('does not paint with %o', (environment) => {
    expect(choosePaint({ ...terminal, environment })).toBe(plain)
  })

  it('takes an empty NO_COLOR for none, as its specification says', () => {
    expect(choosePaint({ ...terminal, environment: { NO_COLOR: '' } })).toBe(coloured)
  })

  it('paints into a pipe with FORCE_COLOR', () => {
    expect(choosePaint({ ...terminal, isTerminal: false, environment: { FORCE_COLOR: '1' } })).toBe(coloured)
  })

  it('lets --no-color win over everything', () => {
    expect(choosePaint({ ...terminal, refused: true, environment: { FORCE_COLOR: '1' } })).toBe(plain)
  })
})
