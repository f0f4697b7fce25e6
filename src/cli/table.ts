// Plain aligned tables: two spaces between columns, no lines drawn, so that `awk` and eyes can both read them.

import { padEnd, padStart, textWidth } from './text-width.ts'

export interface Column {
  readonly title: string
  /** @default 'left' */
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** The title line and one line a row. A missing cell is empty. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  return alignRows(columns, [columns.map((column) => column.title), ...rows])
}

/** Rows alone, aligned by the same rules. */
export function alignRows(columns: readonly Pick<Column, 'align'>[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((_, index) => Math.max(0, ...rows.map((row) => textWidth(row[index] ?? ''))))
  return rows.map((row) => {
    const cells = columns.map((column, index) => {
      const pad = column.align === 'right' ? padStart : padEnd
      return pad(row[index] ?? '', widths[index] ?? 0)
    })
    return cells.join(GAP).trimEnd()
  })
}

/** An empty line between blocks of lines. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string[] {
  return blocks.flatMap((lines, index) => (index === 0 ? lines : [''].concat(lines)))
}
