// The pages of docs/reference that tell people about the control API agree with the tables in the code.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ROUTES } from '../../src/control/routes.ts'
import { LIMITS } from '../../src/control/server.ts'
import { EXIT } from '../../src/errors.ts'

const read = (name: string) => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8')

test('control-api.md has a section for each route of the table, and none besides', () => {
  const sections = [...read('control-api.md').matchAll(/^### `([A-Z]+ \S+)`$/gm)].map((match) => match[1] ?? '')
  expect(sections.toSorted()).toEqual(ROUTES.map((route) => `${route.method} ${route.pattern}`).toSorted())
})

test('messages.ts lists each route of the table', () => {
  const source = readFileSync(new URL('../../src/control/messages.ts', import.meta.url), 'utf8')
  const listed = [...source.matchAll(/^ \* (GET|POST|DELETE) +([^\s?]+)/gm)].map((match) => `${match[1]} ${match[2]}`)
  expect(listed.toSorted()).toEqual(ROUTES.map((route) => `${route.method} ${route.pattern}`).toSorted())
})

test('control-api.md tells the limits that are in force', () => {
  const page = read('control-api.md')
  expect(page).toContain(`${LIMITS.maxStreams} streams`)
  expect(page).toContain(`${LIMITS.maxConnections.toLocaleString('en')} connections`)
  expect(page).toContain(`head within ${LIMITS.headMs / 1_000} s`)
  expect(page).toContain(`request within ${LIMITS.requestMs / 1_000} s`)
  expect([LIMITS.maxBodyBytes, LIMITS.maxWaitingBytes]).toEqual([1_048_576, 1_048_576])
})

test('exit-codes.md has a row for each exit code', () => {
  const rows = [...read('exit-codes.md').matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map((match) => [
    match[2],
    Number(match[1]),
  ])
  expect(Object.fromEntries(rows)).toEqual(EXIT)
})
