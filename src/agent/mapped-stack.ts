// A stack in the files that the app was built from, by the source maps beside its code. Done in the process that dies: it
// alone is sure to see the maps of the code that it runs, and nobody waits for it but its successor.

import { readFileSync, statSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

/** A map of a large bundle takes some hundred milliseconds; there is no time for many. */
const LARGEST_BYTES = 32 * 1024 * 1024
const MOST_FILES = 8
const MOST_MS = 1000

const PLACE = /((?:file:\/\/)?\/[^():]+):(\d+):(\d+)/

/** Null when no frame has a map, or Node has mapped the stack itself (`--enable-source-maps`). */
export function mapStack(stack: string): string | null {
  if (process.sourceMapsEnabled) return null
  const maps = new Map<string, { readonly map: SourceMap; readonly directory: string } | null>()
  const until = performance.now() + MOST_MS
  let isMapped = false
  const lines = stack.split('\n').map((line) => {
    const [place, file = '', row = '', column = ''] = PLACE.exec(line) ?? []
    if (place === undefined || !/^\s+at /.test(line) || file.includes('/node_modules/')) return line
    const path = file.startsWith('file://') ? fileURLToPath(file) : file
    if (!maps.has(path)) maps.set(path, maps.size < MOST_FILES && performance.now() < until ? readMap(path) : null)
    const found = maps.get(path)
    const origin = found?.map.findOrigin(Number(row), Number(column))
    if (!found || !origin || !('fileName' in origin)) return line
    isMapped = true
    const { fileName, lineNumber, columnNumber } = origin
    return line.replace(place, `${placeOf(fileName, found.directory)}:${lineNumber}:${columnNumber}`)
  })
  return isMapped ? lines.join('\n') : null
}

/** `webpack://…` and the like stay as they are. */
function placeOf(source: string, directory: string): string {
  if (source.startsWith('file://')) return fileURLToPath(source)
  return /^[a-z][\w+.-]*:\/\//i.test(source) ? source : resolve(directory, source)
}

function readMap(path: string): { readonly map: SourceMap; readonly directory: string } | null {
  try {
    const found = locateMap(path)
    return found === null ? null : { map: new SourceMap(JSON.parse(found.text)), directory: found.directory }
  } catch {
    return null
  }
}

/** As the file's last line says, or beside it under its name. */
function locateMap(path: string): { readonly text: string; readonly directory: string } | null {
  const code = readSmall(path) ?? ''
  const at = code.lastIndexOf('//# sourceMappingURL=')
  const url = at === -1 ? null : (/^\S+/.exec(code.slice(at + '//# sourceMappingURL='.length))?.[0] ?? null)
  const inline = url?.match(/^data:application\/json[^,]*;base64,/)
  if (url && inline)
    return { text: Buffer.from(url.slice(inline[0].length), 'base64').toString(), directory: dirname(path) }
  const file = url === null ? `${path}.map` : resolve(dirname(path), decodeURIComponent(url))
  const text = readSmall(file)
  return text === null ? null : { text, directory: dirname(file) }
}

function readSmall(path: string): string | null {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  return size === undefined || size > LARGEST_BYTES ? null : readFileSync(path, 'utf8')
}
