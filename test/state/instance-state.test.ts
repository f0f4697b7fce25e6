import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readState, OLDEST_STATE, STATE_SCHEMA, writeState } from '../../src/state/instance-state.ts'

const NOBODY = 65_534

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

  it('reads one of the version before and of the version after, and passes over what it does not know (S8)', () => {
    const file = join(directory, 'state.json')
    const read = (fields: object) => {
      writeFileSync(file, JSON.stringify({ instance: 'web', pid: 1, apps: [], workers: [], ...fields }))
      return readState(file, 'web').kind
    }
    expect(read({ schema: OLDEST_STATE })).toBe('state')
    expect(read({ schema: OLDEST_STATE - 1 })).toBe('unusable')
    expect(read({ schema: STATE_SCHEMA + 1, oldest: STATE_SCHEMA, later: [1] })).toBe('state')
    expect(read({ schema: STATE_SCHEMA + 2, oldest: STATE_SCHEMA + 1 })).toBe('unusable')
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

  it('says why what stands in its place cannot be used, and takes a link that leads nowhere for none (S4)', () => {
    const file = join(directory, 'state.json')
    mkdirSync(join(file, 'full'), { recursive: true })
    expect(readState(file, 'web')).toEqual({ kind: 'unusable', problem: expect.stringContaining('EISDIR') })
    rmSync(file, { recursive: true })
    symlinkSync('/nowhere/at/all', file)
    expect(readState(file, 'web')).toEqual({ kind: 'none' })
  })

  it.runIf(process.getuid?.() === 0)('says so of one that it may not read (S4)', () => {
    const file = join(directory, 'state.json')
    writeFileSync(file, '{}')
    chmodSync(file, 0o000)
    for (const path of [directory, file]) chownSync(path, NOBODY, NOBODY)
    const source = fileURLToPath(new URL('../../src/state/instance-state.ts', import.meta.url))
    const script = `import(process.argv[1]).then(({ readState, writeState }) => {
      const file = process.argv[2]
      const read = readState(file, 'web')
      writeState(file, { schema: 2, instance: 'web', pid: 1, apps: [], workers: [] })
      console.log(JSON.stringify([read, readState(file, 'web').kind]))
    })`
    const words = ['--reuid', String(NOBODY), '--clear-groups', process.execPath, '-e', script, source, file]
    const [read, after] = JSON.parse(execFileSync('setpriv', words, { encoding: 'utf8' }))
    expect(read).toEqual({ kind: 'unusable', problem: expect.stringContaining('EACCES') })
    expect(after).toBe('state')
  })
})

describe('writeState()', () => {
  const state = { schema: STATE_SCHEMA, instance: 'web', pid: 1, apps: [], workers: [] }

  it('puts a directory of its name aside, replaces a link rather than what it leads to (S4)', () => {
    const file = join(directory, 'state.json')
    mkdirSync(join(file, 'full'), { recursive: true })
    writeState(file, state)
    expect(readdirSync(directory)).toEqual(['state.json', 'state.json.unusable'])
    rmSync(file)

    const elsewhere = join(directory, 'elsewhere')
    writeFileSync(elsewhere, 'of somebody')
    symlinkSync(elsewhere, file)
    writeState(file, state)
    expect(lstatSync(file).isFile()).toBe(true)
    expect(readState(file, 'web').kind).toBe('state')
  })
})
