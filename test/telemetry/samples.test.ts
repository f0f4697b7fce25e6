import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Samples } from '../../src/telemetry/samples.ts'

let children: ChildProcess[] = []

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
})

function start(code: string): number {
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  children.push(child)
  return child.pid!
}

function fail(): never {
  throw new Error('There is no sample')
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}

describe('Samples', () => {
  it('tells busy from idle, and memory, in one reading for all', async () => {
    const busy = start('for (;;);')
    const idle = start('setInterval(() => {}, 1000)')
    const samples = new Samples({ pids: () => [busy, idle], everyMs: 100 })
    expect(samples.of(busy)).toBe(null)
    samples.start()
    await vi.waitFor(() => expect(samples.of(busy)?.cpuPercent).toBeGreaterThan(30), { timeout: 10_000 })
    await vi.waitFor(() => expect(samples.of(idle)?.cpuPercent).toBeLessThan(30), { timeout: 10_000 })
    expect(samples.of(idle)?.rssBytes).toBeGreaterThan(10_000_000)
    samples.stop()
  })

  it('sees what a process has started, and counts its CPU time though it has ended', async () => {
    const busy = 'while (process.cpuUsage().user < 400_000);'
    const parent = start(
      `const { spawn, spawnSync } = require('node:child_process')
      spawn('sleep', ['60'], { stdio: 'ignore' })
      spawnSync(process.execPath, ['-e', ${JSON.stringify(busy)}])
      process.title = 'has waited'
      setInterval(() => {}, 1000)`,
    )
    const samples = new Samples({ pids: () => [parent], everyMs: 100 })
    samples.start()
    await vi.waitFor(
      () => {
        const { children: below, cpuSeconds } = samples.of(parent) ?? fail()
        expect(below?.count).toBe(1)
        expect(below?.rssBytes).toBeGreaterThan(100_000)
        expect(cpuSeconds).toBeGreaterThan(0.35)
      },
      { timeout: 15_000 },
    )
    samples.stop()
  })

  it('has no CPU figure before there are two readings', async () => {
    const pid = start('setInterval(() => {}, 1000)')
    const samples = new Samples({ pids: () => [pid] })
    expect((await samples.fresh()).get(pid)).toMatchObject({ cpuPercent: null, rssBytes: expect.any(Number) })
  })

  it('leaves out a process that is gone, also when it is the only one', async () => {
    const [one, other] = [start(''), start('setInterval(() => {}, 1000)')]
    await new Promise((resolve) => children[0]!.once('exit', resolve))
    const both = new Samples({ pids: () => [one, other] })
    expect([...(await both.fresh()).keys()]).toEqual([other])
    const alone = new Samples({ pids: () => [one] })
    expect([...(await alone.fresh()).keys()]).toEqual([])
    expect([...(await new Samples({ pids: () => [] }).fresh()).keys()]).toEqual([])
  })

  it('fresh() does not read again within a second, nor twice at a time', async () => {
    let asked = 0
    const pids = () => {
      asked += 1
      return [process.pid]
    }
    const samples = new Samples({ pids })
    await Promise.all([samples.fresh(), samples.fresh()])
    await samples.fresh()
    expect(asked).toBe(1)
  })

  it('C12: holds no descriptor of processes that are gone for long', async () => {
    const pids = Array.from({ length: 5 }, () => start('setInterval(() => {}, 1000)'))
    const samples = new Samples({ pids: () => pids, everyMs: 100 })
    await samples.fresh()
    for (const child of children.splice(0)) child.kill('SIGKILL')
    pids.length = 0
    const holding = openFiles()
    await vi.waitFor(() => expect(openFiles()).toBeLessThanOrEqual(holding - 5), { timeout: 15_000, interval: 100 })
  })
})
