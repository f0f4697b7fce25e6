import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readState, STATE_SCHEMA, writeState } from '../../src/state/instance-state.ts'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'state-'))))
afterEach(() => rmSync(directory, { recursive: true }))

describe('readState()', () => {
  it('reads what writeState() has written, and nothing where there is nothing', () => {
    const file = join(directory, 'state.json')
    expect(readState(file, 'web')).toEqual({ kind: 'none' })
    const state = { schema: STATE_SCHEMA, instance: 'web', pid: 1, ending: true as const, apps: [], workers: [] }
    writeState(file, state)
    expect(readState(file, 'web')).toEqual({ kind: 'state', state })
  })

  it.each([
    ['', 'it is no JSON'],
    ['null', 'it is no state file'],
    ['{"schema": 99}', `it is of version 99, and this is version ${STATE_SCHEMA}`],
    [`{"schema": ${STATE_SCHEMA}, "instance": "api", "apps": [], "workers": []}`, 'it is of another instance'],
    [`{"schema": ${STATE_SCHEMA}, "instance": "web", "apps": []}`, 'it lacks its apps or its workers'],
  ])('says why %j cannot be used (S4)', (text, problem) => {
    const file = join(directory, 'state.json')
    writeFileSync(file, text)
    expect(readState(file, 'web')).toEqual({ kind: 'unusable', problem })
  })
})
