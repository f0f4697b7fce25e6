// docs/explanation/promises.md: each promise, and the tests whose names carry its id.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHAPTERS } from './promises.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Files of tests by promise id, as their names say: `… (R5, R17)`, `… (D1–D5)`. */
export function testsByPromise(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const file of testFiles()) {
    for (const id of idsIn(readFileSync(file, 'utf8'))) {
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

const ID = /\b([ADRCSL])(\d{1,2})(?:\s?[–-]\s?\1(\d{1,2}))?\b/g

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
