// Plain aligned tables: two spaces between columns, no lines drawn, so that `awk` and eyes can both read them.

import { padEnd, padStart, textWidth, wrap } from './text-width.ts'

export interface Column {
  readonly title: string
  /** @default 'left' */
  readonly align?: 'left' | 'right'
  /** Where there is no room for all columns, it is told on a line of its own below the row, whole. */
  readonly below?: true
}

const GAP = '  '
const NARROW_GAP = ' '

/** The title line and one line a row. A missing cell is empty. `width` is the terminal's; a pipe has room for all. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const cells = [columns.map((column) => column.title), ...rows]
  const layout = layoutIn(columns, cells, width)
  const lines = align(layout, columns, cells)
  return lines.flatMap((line, at) => [line].concat(at === 0 ? [] : linesBelow(layout, columns, cells[at] ?? [], width)))
}

/** Rows alone, aligned by the same rules. */
export function alignRows(columns: readonly Pick<Column, 'align'>[], rows: readonly (readonly string[])[]): string[] {
  return align({ beside: [...columns.keys()], gap: GAP }, columns, rows)
}

interface Layout {
  /** Indexes of the columns that stand side by side. */
  readonly beside: readonly number[]
  readonly gap: string
}

/** As many columns side by side as there is room for; what may not be told below is there in any case. */
function layoutIn(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): Layout {
  const widths = widthsOf(columns, rows)
  let beside = [...columns.keys()]
  for (;;) {
    const cells = beside.reduce((sum, at) => sum + (widths[at] ?? 0), 0)
    const gap = [GAP, NARROW_GAP].find((one) => cells + one.length * (beside.length - 1) <= width)
    if (gap !== undefined) return { beside, gap }
    const last = beside.findLast((at) => columns[at]?.below === true)
    if (last === undefined) return { beside, gap: NARROW_GAP }
    beside = beside.filter((at) => at !== last)
  }
}

function widthsOf(columns: readonly object[], rows: readonly (readonly string[])[]): readonly number[] {
  return columns.map((_, index) => Math.max(0, ...rows.map((row) => textWidth(row[index] ?? ''))))
}

function align(
  { beside, gap }: Layout,
  columns: readonly Pick<Column, 'align'>[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = widthsOf(columns, rows)
  return rows.map((row) => {
    const cells = beside.map((index) => {
      const pad = columns[index]?.align === 'right' ? padStart : padEnd
      return pad(row[index] ?? '', widths[index] ?? 0)
    })
    return cells.join(gap).trimEnd()
  })
}

function linesBelow({ beside }: Layout, columns: readonly Column[], row: readonly string[], width: number): string[] {
  return columns.flatMap(({ title }, at) => {
    const cell = row[at] ?? ''
    return beside.includes(at) || cell === '' ? [] : wrap(`${title.toLowerCase()}: ${cell}`, width, '    ')
  })
}

/** An empty line between blocks of lines. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string[] {
  return blocks.flatMap((lines, index) => (index === 0 ? lines : [''].concat(lines)))
}
