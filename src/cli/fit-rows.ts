// A table for a width that is given: first columns that matter less are left out whole, then one column is cut.

import { alignRows, type Column } from './table.ts'
import { textWidth, truncate } from './text-width.ts'

export interface FittedColumn extends Column {
  /** Left out before those of a higher rank when there is no room; without one it stays. */
  readonly rank?: number
  /** The one whose texts are cut: names, which can be of any length. */
  readonly isCut?: true
}

const GAP = 2
/** Room for a name that others are left out for. */
const NAME = 12
/** What is shorter names nothing. */
const SHORTEST_NAME = 4

/** The titles, painted by `title`, and one line a row. */
export function fitRows(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  room: number,
  title: (text: string) => string,
): string[] {
  const cells = [columns.map((column) => title(column.title)), ...rows]
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => textWidth(row[at] ?? ''))))
  const kept = columnsThatFit(columns, widths, room)
  const left = room - widthWithoutCut(columns, widths, kept)
  const shown = cells.map((row) =>
    kept.map((at) => {
      const text = row[at] ?? ''
      return columns[at]?.isCut ? truncate(text, Math.max(SHORTEST_NAME, left)) : text
    }),
  )
  return alignRows(
    kept.map((at) => columns[at] ?? {}),
    shown,
  )
}

/** How much is left beside the table at its full width; less than 0 when it does not fit. */
export function roomBeside(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  room: number,
): number {
  const widths = columns.map(({ title }, at) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[at] ?? ''))),
  )
  return room - widths.reduce((sum, width) => sum + width + GAP, -GAP)
}

function columnsThatFit(columns: readonly FittedColumn[], widths: readonly number[], room: number): readonly number[] {
  const name = Math.min(NAME, widths[columns.findIndex(({ isCut }) => isCut)] ?? 0)
  let kept = columns.map((_, at) => at)
  while (widthWithoutCut(columns, widths, kept) + name > room) {
    const least = leastOf(kept.flatMap((at) => columns[at]?.rank ?? []))
    if (least === null) return kept
    kept = kept.filter((at) => columns[at]?.rank !== least)
  }
  return kept
}

function leastOf(ranks: readonly number[]): number | null {
  return ranks.length === 0 ? null : Math.min(...ranks)
}

function widthWithoutCut(columns: readonly FittedColumn[], widths: readonly number[], kept: readonly number[]): number {
  return kept.reduce((sum, at) => sum + GAP + (columns[at]?.isCut ? 0 : (widths[at] ?? 0)), -GAP)
}
