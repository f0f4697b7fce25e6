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

describe('renderTable() on a terminal', () => {
  const columns = [
    { title: 'ID' },
    { title: 'STATE' },
    { title: 'PATH', below: true },
    { title: 'WHY', below: true },
  ] as const
  const rows = [
    ['r1', 'good', '/srv/1', ''],
    ['r2', 'failed', '/srv/2', 'worker 1 exited with code 1 before it was ready'],
  ]

  it('narrows the gaps before it tells anything below', () => {
    expect(renderTable(columns.slice(0, 3), rows, 17)).toEqual([
      'ID STATE  PATH',
      'r1 good   /srv/1',
      'r2 failed /srv/2',
    ])
  })

  it('tells what has no room below its row, whole', () => {
    const lines = renderTable(columns, rows, 24)
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "ID  STATE   PATH
      r1  good    /srv/1
      r2  failed  /srv/2
          why: worker 1 exited
          with code 1 before
          it was ready"
    `)
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(24)
  })

  it('keeps what may not be told below, and what a pipe gets', () => {
    expect(renderTable(columns, rows, 5)[0]).toBe('ID STATE')
    expect(renderTable(columns, rows)[2]).toBe('r2  failed  /srv/2  worker 1 exited with code 1 before it was ready')
  })
})

describe('joinBlocks()', () => {
  it('puts an empty line between blocks', () => expect(joinBlocks([['a'], ['b', 'c']])).toEqual(['a', '', 'b', 'c']))
})
