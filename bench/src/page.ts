// Puts the results of the last runs into docs/benchmarks.md, between its markers.

import { readFileSync, writeFileSync } from 'node:fs'
import { renderMatrix, renderSoak } from './endurance.ts'
import { readResult, type Result } from './result.ts'
import { renderConditions, renderNotes, renderTable } from './table.ts'

const PAGE = new URL('../../docs/benchmarks.md', import.meta.url)

const SECTIONS = {
  table: (result: Result) => renderTable(result.measures, 'page'),
  notes: (result: Result) => renderNotes(result.measures),
  conditions: (result: Result) => renderConditions(result).replaceAll('\n', '  \n'),
}

/** Returns what it wrote of. */
export function writePage(): readonly string[] {
  let page = readFileSync(PAGE, 'utf8')
  const written: string[] = []
  for (const name of ['latest', 'logs', 'metrics', 'reloads', 'flips', 'releases', 'deaths', 'faults'] as const) {
    const result = readResult(name)
    if (result === null) continue
    for (const [section, render] of Object.entries(SECTIONS)) {
      page = replaceBetween(page, `${name} ${section}`, render(result))
    }
    written.push(name)
  }
  for (const [name, text] of Object.entries({ matrix: renderMatrix(), soak: renderSoak() })) {
    if (text === null) continue
    page = replaceBetween(page, name, text)
    written.push(name)
  }
  writeFileSync(PAGE, page)
  return written
}

/** Leaves a page as it is that does not have these markers. */
function replaceBetween(page: string, marker: string, text: string): string {
  const [begin, end] = [`<!-- ${marker} -->`, `<!-- end of ${marker} -->`]
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)]
  if (start === -1 || stop < start) return page
  return `${page.slice(0, start + begin.length)}\n\n${text}\n\n${page.slice(stop)}`
}
