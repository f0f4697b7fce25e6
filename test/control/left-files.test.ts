import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openInstanceDirectory, type InstanceDirectory } from '../../src/control/instance-directory.ts'
import { findLeftFiles, sweep } from '../../src/control/left-files.ts'

let root: string
let directory: InstanceDirectory

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'left-'))
  directory = openInstanceDirectory('web', { SUPERVISE_RUNTIME_DIR: root })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function make(incarnation: string): void {
  execFileSync(
    'mkfifo',
    ['out', 'err'].map((ending) => join(directory.output, `${incarnation}.${ending}`)),
  )
  for (const n of [1, 12]) writeFileSync(join(directory.endpoints, `${incarnation}-${n}.sock`), '')
}

function filesOf(incarnation: string): number {
  const names = [directory.output, directory.endpoints].flatMap((folder) => readdirSync(folder))
  return names.filter((name) => name.startsWith(incarnation)).length
}

test('sweep() removes what the dead left, and nothing of those that live', () => {
  for (const incarnation of ['dead', 'known', 'held']) make(incarnation)
  for (const name of ['state.json.17.tmp', 'link.sock.17', 'supervisor.json.17', 'state.json', 'link.sock'])
    writeFileSync(join(directory.path, name), '')
  const held = openSync(join(directory.output, 'held.out'), constants.O_RDWR)
  const left = findLeftFiles(directory)
  // A worker that is forked meanwhile, and whose output nobody has opened yet.
  make('new')
  sweep(left, ['known'], directory)
  closeSync(held)
  expect(['dead', 'known', 'held', 'new'].map(filesOf)).toEqual([0, 4, 4, 4])
  expect(readdirSync(directory.path).toSorted()).toEqual(['endpoints', 'link.sock', 'output', 'state.json'])
})
