import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { groupFacts, kernelFacts, limitsOf, selfFacts } from '../../../src/control/checkup/host-facts.ts'

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'host-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

it('kernelFacts() reads settings, and knows that there may be none', () => {
  expect(Object.values(kernelFacts(root)).every((value) => value === null)).toBe(true)
  put('proc/sys/net/core/somaxconn', '128\n')
  put('proc/sys/fs/file-nr', '1984\t0\t9223372\n')
  expect(kernelFacts(root)).toMatchObject({ somaxconn: 128, filesOpen: 1984, filesMax: 9_223_372, overcommit: null })
})

it('limitsOf() reads limits, also those that are none', () => {
  expect(limitsOf(7, root)).toBe(null)
  const text =
    'Limit   Soft Limit  Hard Limit  Units\nMax processes   unlimited  unlimited  processes\nMax open files  1024  4096  files\n'
  put('proc/7/limits', text)
  expect(limitsOf(7, root)).toEqual({ filesSoft: 1024, filesHard: 4096, processes: Infinity })
})

it('groupFacts() takes the limit of processes that has least room', () => {
  put('proc/self/cgroup', '0::/outer/inner\n')
  put('sys/fs/cgroup/outer/pids.max', '100\n')
  put('sys/fs/cgroup/outer/pids.current', '90\n')
  put('sys/fs/cgroup/outer/inner/pids.max', 'max\n')
  put('sys/fs/cgroup/outer/inner/pids.current', '20\n')
  expect(groupFacts(root)).toMatchObject({ pidsMax: 100, pidsNow: 90, memoryBytes: null })
  // A supervisor may be in another group than the shell.
  put('proc/7/cgroup', '0::/unit\n')
  put('sys/fs/cgroup/unit/pids.max', '50\n')
  put('sys/fs/cgroup/unit/pids.current', '3\n')
  put('sys/fs/cgroup/unit/memory.max', '1000\n')
  put('sys/fs/cgroup/unit/memory.current', '10\n')
  expect(groupFacts(root, 7)).toMatchObject({ pidsMax: 50, pidsNow: 3, memoryBytes: 1000, memoryUsedBytes: 10 })
})

it('selfFacts() finds all that the link needs in this Node', () => expect(selfFacts({}).linkMissing).toBe(null))
