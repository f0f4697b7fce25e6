// docs/explanation/promises.md: each promise, and the tests whose names carry its id.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'rolldown/parseAst'
import { CHAPTERS } from './promises.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Files of tests by promise id, as their names say: `… (R5, R17)`, `… (D1–D5)`. */
export function testsByPromise(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const file of testFiles()) {
    for (const id of testNames(readFileSync(file, 'utf8')).flatMap(idsIn)) {
      found.set(id, (found.get(id) ?? new Set()).add(relative(ROOT, file)))
    }
  }
  return new Map([...found].map(([id, files]) => [id, [...files].toSorted()]))
}

function testFiles(): string[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(\.test|-cases|cases)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

const TEST_FUNCTIONS = new Set(['describe', 'it', 'test'])

/**
 * What is given to `describe`, `it` and `test` for a name, also behind `.each(…)` and `.runIf(…)`, and the keys of cases, which
 * are objects that can `run`. Comments and data prove nothing.
 */
export function testNames(source: string): readonly string[] {
  const names: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    if (!isNode(value)) return
    if (value.type === 'CallExpression' && TEST_FUNCTIONS.has(rootOf(value['callee']))) {
      const [name] = Array.isArray(value['arguments']) ? value['arguments'] : []
      const text = textOf(name)
      if (text !== null) names.push(text)
    }
    if (value.type === 'Property' && isCase(value['value'])) names.push(textOf(value['key']) ?? '')
    Object.values(value).forEach(visit)
  }
  visit(parseAst(source, { lang: 'ts' }))
  return names
}

interface Node {
  readonly type: string
  readonly [field: string]: unknown
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

function isCase(value: unknown): boolean {
  if (!isNode(value) || !Array.isArray(value['properties'])) return false
  return value['properties'].some(({ key }: { readonly key?: Node }) => key?.['name'] === 'run')
}

/** `it` of `it.each(table)`; empty for what does not begin with a name. */
function rootOf(callee: unknown): string {
  if (!isNode(callee)) return ''
  if (callee.type === 'Identifier') return String(callee['name'])
  return rootOf(callee['object'] ?? callee['callee'] ?? callee['tag'])
}

function textOf(name: unknown): string | null {
  if (!isNode(name)) return null
  if (name.type === 'Literal') return String(name['value'])
  if (name.type !== 'TemplateLiteral' || !Array.isArray(name['quasis'])) return null
  return name['quasis'].map((quasi: { readonly value: { readonly raw: string } }) => quasi.value.raw).join('…')
}

const ID = /\b([ABCDKLRSVY])(\d{1,2})(?:\s?[–-]\s?\1(\d{1,2}))?\b/g

function idsIn(text: string): string[] {
  return [...text.matchAll(ID)].flatMap(([, letter = '', from = '', to]) => {
    const last = Number(to ?? from)
    return Array.from(
      { length: Math.max(0, last - Number(from)) + 1 },
      (_, index) => `${letter}${Number(from) + index}`,
    )
  })
}

export function renderPromisesPage(): string {
  const tests = testsByPromise()
  const chapters = Object.entries(CHAPTERS).map(([title, promises]) => {
    const rows = promises.map(({ id, statement }) => `| ${id} | ${statement} | ${links(tests.get(id) ?? [])} |`)
    return [`## ${title}`, '', '| | promise | tests |', '| --- | --- | --- |', ...rows].join('\n')
  })
  return `# Promises

What must hold, by id, and the tests that hold it. The bar, unless a line says otherwise: **no failed request** (refused, reset, empty reply,
truncated or wrong body, a 5xx that the app did not make, a time-out), judged by a client in a process of its own that
classifies every outcome, checks bodies and never retries. Long tests run in a reduced form here and whole with \`npm run soak\`.

Written by \`node scripts/generate-docs.ts\` from \`scripts/promises.ts\` and the names of the tests.

${chapters.join('\n\n')}
`
}

function links(files: readonly string[]): string {
  return files.map((file) => `[${file.replace(/^test\//, '').replace(/\.test\.ts$/, '')}](../../${file})`).join(' · ')
}
