import { describe, expect, it } from 'vitest'
import { coloured } from '../../src/cli/paint.ts'
import { joinBlocks, renderTable } from '../../src/cli/table.ts'
import { textWidth } from '../../src/cli/text-width.ts'

describe('renderTable()', () => {
  it('aligns columns without drawing lines', () => {
    const table = renderTable(
      [{ title: 'NAME' }, { title: 'PID', align: 'right' }, { title: 'NOTE' }],
      [
        ['web', '7', ''],
        ['日本', '4711', 'new'],
      ],
    )
    expect(table.join('\n')).toMatchInlineSnapshot(`
      "NAME   PID  NOTE
      web      7
      日本  4711  new"
    `)
  })

  it('aligns coloured cells as plain ones', () => {
    const rows = [
      [coloured('green', 'serving'), 'x'],
      ['off', 'x'],
    ]
    const widths = renderTable([{ title: 'STATE' }, { title: 'X' }], rows).map(textWidth)
    expect(new Set(widths)).toEqual(new Set([10]))
  })

  it('shows missing cells as empty', () => {
    expect(renderTable([{ title: 'A' }, { title: 'B' }], [['1']])).toEqual(['A  B', '1'])
  })
})

describe('joinBlocks()', () => {
  it('puts an empty line between blocks', () => expect(joinBlocks([['a'], ['b', 'c']])).toEqual(['a', '', 'b', 'c']))
})
