import { closeSync, fstatSync, openSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isJournal } from '../../src/telemetry/journal.ts'

describe('isJournal()', () => {
  it('knows the very file that systemd named, and no other', () => {
    const descriptor = openSync(import.meta.filename, 'r')
    const { dev, ino } = fstatSync(descriptor, { bigint: true })
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, descriptor)).toBe(true)
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino + 1n}` }, descriptor)).toBe(false)
    expect(isJournal({ JOURNAL_STREAM: '' }, descriptor)).toBe(false)
    expect(isJournal({}, descriptor)).toBe(false)
    closeSync(descriptor)
    expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, descriptor)).toBe(false)
  })
})
