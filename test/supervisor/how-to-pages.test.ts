// docs/how-to/alerts.md and investigate-a-crash.md agree with what is in force.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ALERT_KINDS } from '../../src/config/alert-kinds.ts'
import { ALERT_LIMITS } from '../../src/supervisor/alert-desk.ts'
import { MOST_WAITING, RETRY_MS } from '../../src/supervisor/alert-queue.ts'
import { CRASH_LIMITS } from '../../src/supervisor/crash-books.ts'
import { FILE_LIMITS } from '../../src/telemetry/diagnostic-files.ts'

const read = (name: string) => readFileSync(new URL(`../../docs/how-to/${name}.md`, import.meta.url), 'utf8')

it('alerts.md has every kind with what it means, in the order of the table', () => {
  const rows = [...read('alerts').matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, kind, means]) => [kind, means])
  expect(rows).toEqual(Object.entries(ALERT_KINDS).map(([kind, { means }]) => [kind, means]))
})

it('alerts.md tells the limits that are in force', () => {
  const page = read('alerts').replaceAll('\n', ' ').replaceAll(/ +/g, ' ')
  expect(page).toContain(
    `once in ${ALERT_LIMITS.repeatMs / 60_000} minutes, and never more than ${ALERT_LIMITS.most} alerts in an hour`,
  )
  expect(ALERT_LIMITS.windowMs).toBe(3_600_000)
  expect(page).toContain(`of at most ${MOST_WAITING} alerts`)
  const waits = RETRY_MS.map((ms) => `${ms / 1000} s`)
  expect(page).toContain(`after ${waits.slice(0, -1).join(', ')} and ${waits.at(-1)}`)
})

it('investigate-a-crash.md tells the limits that are in force', () => {
  const page = read('investigate-a-crash')
  expect(page).toContain(`${CRASH_LIMITS.records} records and ${CRASH_LIMITS.bytes / 2 ** 20} MiB`)
  expect(page).toContain(`${CRASH_LIMITS.groups} different crashes`)
  expect(page).toContain(`${FILE_LIMITS.reports} diagnostic reports and ${FILE_LIMITS.snapshots} heap snapshots`)
})
