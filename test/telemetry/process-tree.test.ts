import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { descentsOf, parseStat, readProcesses, type ProcessFacts } from '../../src/telemetry/process-tree.ts'
import { fileSystem } from '../support/file-system.ts'

/** As Linux 6.18 writes it: parent 7, 120 + 30 ticks of its own, 40 + 10 of those that it waited for, 500 pages. */
const stat = (pid: number, name: string, parent = 7) =>
  `${pid} (${name}) S ${parent} 42 42 0 -1 4194560 123 0 0 0 120 30 40 10 20 0 11 0 2501920 3932160 500 18446744073709551615 ` +
  '94535709589504 94535709669657 140724567839792 0 0 0 0 4096 134234626 0 0 0 17 1 0 0 0 0 0\n'

const process_ = (parent: number, rssBytes = 1, seconds = 1): ProcessFacts => ({
  parent,
  rssBytes,
  ownSeconds: seconds,
  waitedSeconds: 10 * seconds,
})

describe('parseStat()', () => {
  it('reads parent, times and memory, whatever the name of the process', () => {
    const facts = { parent: 7, ownSeconds: 1.5, waitedSeconds: 0.5, rssBytes: 500 * 4096 }
    expect(parseStat(stat(42, 'node'), 4096)).toEqual(facts)
    expect(parseStat(stat(42, ') R 1 (x y'), 4096)).toEqual(facts)
  })

  it.each(['', 'nonsense', '42 (node) S 7'])('is null for %j', (text) => {
    expect(parseStat(text, 4096)).toBeNull()
  })
})

describe('descentsOf()', () => {
  it('sums up children and theirs, and what had ended', () => {
    const processes = new Map([
      [10, process_(1)],
      [11, process_(10, 100, 2)],
      [12, process_(11, 200, 3)],
      [13, process_(1, 5000, 50)],
    ])
    const cpuSeconds = 10 + (2 + 20) + (3 + 30)
    expect(descentsOf([10], processes)).toEqual(new Map([[10, { count: 2, rssBytes: 300, cpuSeconds }]]))
  })

  it('counts nothing twice when a worker is below another, and comes to an end in a circle', () => {
    const processes = new Map([
      [10, process_(30)],
      [20, process_(10)],
      [21, process_(20)],
      [30, process_(20)],
    ])
    const counts = [...descentsOf([10, 20], processes)].map(([pid, { count }]) => [pid, count])
    expect(counts).toEqual([
      [10, 0],
      [20, 2],
    ])
  })

  it('has nothing of a worker that is gone', () => {
    expect(descentsOf([9], new Map())).toEqual(new Map([[9, { count: 0, rssBytes: 0, cpuSeconds: 0 }]]))
  })
})

describe('readProcesses()', () => {
  it('reads what is there, with the size of pages of this machine', async () => {
    const root = fileSystem({})
    for (const directory of ['42', '43', 'self', 'sys']) mkdirSync(join(root, 'proc', directory), { recursive: true })
    writeFileSync(join(root, 'proc/42/stat'), stat(42, 'node'))
    const auxiliary = Buffer.alloc(48)
    for (const [at, value] of [3n, 9n, 6n, 16384n].entries()) auxiliary.writeBigUInt64LE(value, at * 8)
    writeFileSync(join(root, 'proc/self/auxv'), auxiliary)
    const processes = await readProcesses(root)
    expect([...(processes ?? [])].map(([pid, { rssBytes }]) => [pid, rssBytes])).toEqual([[42, 500 * 16384]])
  })

  it('says so where there is no /proc', async () => {
    expect(await readProcesses(fileSystem({}))).toBeNull()
  })

  it('sees a child of this very process, and as much memory as Node says', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child, 'spawn')
    const processes = await readProcesses()
    expect(processes?.get(child.pid ?? 0)?.parent).toBe(process.pid)
    const ratio = (processes?.get(process.pid)?.rssBytes ?? 0) / process.memoryUsage.rss()
    expect(ratio).toBeGreaterThan(0.5)
    expect(ratio).toBeLessThan(2)
  })
})
