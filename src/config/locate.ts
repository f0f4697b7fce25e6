// Finds the line of an option in the text of a YAML or JSON file. JSON is read as YAML, which it is.

import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Path } from './schema.ts'

/** The line of each path, or of the nearest thing around it; null when the text cannot be read. */
export function locate(text: string, paths: readonly Path[]): readonly (number | null)[] {
  const lineCounter = new LineCounter()
  const { contents } = parseDocument(text, { lineCounter, logLevel: 'silent' })
  return paths.map((path) => {
    let node: unknown = contents
    let offset = contents?.range?.[0]
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
        if (pair === undefined) break
        // The key, since a value may begin on a later line.
        if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(part)]
        if (hasRange(node)) offset = node.range?.[0] ?? offset
      } else break
    }
    return offset === undefined ? null : lineCounter.linePos(offset).line
  })
}

function hasRange(node: unknown): node is { readonly range?: readonly number[] | null } {
  return typeof node === 'object' && node !== null && 'range' in node
}
