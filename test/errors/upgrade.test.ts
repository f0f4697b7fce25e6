import { describe, expect, it } from 'vitest'
import { inOneLine, upgradeRefused } from '../../src/errors/upgrade.ts'

describe('inOneLine()', () => {
  it.each<[string, readonly string[], string]>([
    ['nothing', [], ''],
    [
      'a stack',
      ['    const x = ;', '    ^', '', "    SyntaxError: Unexpected token ';'", '    at f (a.js:1:2)'],
      ": SyntaxError: Unexpected token ';'",
    ],
    ['lines that name no error', ['', 'it reads state 3 at most', 'and more'], ': it reads state 3 at most'],
  ])('has of %s what is needed', (_what, lines, said) => {
    expect(inOneLine(upgradeRefused('web', 'it does not start', lines))).toBe(
      `Cannot upgrade "web": it does not start${said}`,
    )
  })
})
