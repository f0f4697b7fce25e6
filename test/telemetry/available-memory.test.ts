import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { availableMemory } from '../../src/telemetry/available-memory.ts'
import { fileSystem } from '../support/file-system.ts'

const machine = { 'proc/meminfo': 'MemTotal:  9000 kB\nMemFree:  100 kB\nMemAvailable:    5000 kB\n' }
const KB = 1024

describe('availableMemory()', () => {
  it('is what the machine has to give', () => {
    expect(availableMemory(fileSystem(machine))).toBe(5000 * KB)
  })

  it('is less where any control group around has less left, its cache taken for free', () => {
    const group = (path: string, max: string, current: number, cache: number) => ({
      [`sys/fs/cgroup${path}/memory.max`]: max,
      [`sys/fs/cgroup${path}/memory.current`]: String(current * KB),
      [`sys/fs/cgroup${path}/memory.stat`]: `anon 1\ninactive_file ${cache * KB}\n`,
    })
    const root = fileSystem({
      ...machine,
      'proc/self/cgroup': '0::/web.slice/web.service\n',
      ...group('/web.slice/web.service', 'max', 900, 0),
      ...group('/web.slice', String(1000 * KB), 900, 300),
    })
    expect(availableMemory(root)).toBe(400 * KB)
  })

  it('is never below nothing', () => {
    const root = fileSystem({
      ...machine,
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/memory.high': '1000',
      'sys/fs/cgroup/memory.current': '2000',
    })
    expect(availableMemory(root)).toBe(0)
  })

  it('is known on this machine, and where there is no such file', () => {
    expect(availableMemory()).toBeGreaterThan(0)
    expect(availableMemory()).toBeLessThanOrEqual(totalmem())
    expect(availableMemory(fileSystem({}))).toBeGreaterThan(0)
  })
})
