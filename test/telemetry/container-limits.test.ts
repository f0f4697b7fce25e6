import { describe, expect, it } from 'vitest'
import { availableMemory } from '../../src/telemetry/available-memory.ts'
import { containerLimits, memoryGroups, throttledSeconds } from '../../src/telemetry/container-limits.ts'
import { fileSystem } from '../support/file-system.ts'

const NOTHING = { memoryBytes: null, memoryUsedBytes: null, cpuCores: null }
const MB = 1024 ** 2

/** `docker run -m 512m --cpus 1.5` on a host with control groups of the present kind, seen from inside. */
const docker = {
  'proc/self/cgroup': '0::/\n',
  'sys/fs/cgroup/cpu.max': '150000 100000\n',
  'sys/fs/cgroup/cpu.stat': 'usage_usec 4\nnr_periods 20\nnr_throttled 2\nthrottled_usec 1500000\n',
  'sys/fs/cgroup/memory.max': `${512 * MB}\n`,
  'sys/fs/cgroup/memory.high': 'max\n',
  'sys/fs/cgroup/memory.current': `${300 * MB}\n`,
  'sys/fs/cgroup/memory.stat': `anon ${200 * MB}\nfile ${90 * MB}\ninactive_file ${50 * MB}\nactive_file ${40 * MB}\n`,
}

/** The same with the older kind, without a namespace: the path is the host's, the mount is the container's. */
const olderDocker = {
  'proc/self/cgroup':
    '11:memory:/docker/4f1c\n4:cpuset:/docker/4f1c\n2:cpu,cpuacct:/docker/4f1c\n1:name=systemd:/docker/4f1c\n',
  'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '150000\n',
  'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  'sys/fs/cgroup/cpu,cpuacct/cpu.stat': 'nr_periods 20\nnr_throttled 2\nthrottled_time 1500000000\n',
  'sys/fs/cgroup/memory/memory.limit_in_bytes': `${512 * MB}\n`,
  'sys/fs/cgroup/memory/memory.usage_in_bytes': `${300 * MB}\n`,
  'sys/fs/cgroup/memory/memory.stat': `cache 1\ninactive_file 3\ntotal_inactive_file ${50 * MB}\n`,
}

describe('containerLimits()', () => {
  it.each([
    ['control groups of the present kind', docker],
    ['those of the older kind', olderDocker],
  ])('knows the limits of a container from %s', (_, files) => {
    const root = fileSystem(files)
    expect(containerLimits(root)).toEqual({ memoryBytes: 512 * MB, memoryUsedBytes: 250 * MB, cpuCores: 1.5 })
    expect(throttledSeconds(root)).toBe(1.5)
    expect(availableMemory(root)).toBeLessThanOrEqual(262 * MB)
  })

  it('takes the least of all groups around it', () => {
    const root = fileSystem({
      'proc/self/cgroup': '0::/web.slice/web.service\n',
      'sys/fs/cgroup/web.slice/web.service/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/web.slice/web.service/memory.max': `${900 * MB}\n`,
      'sys/fs/cgroup/web.slice/web.service/memory.current': `${1 * MB}\n`,
      'sys/fs/cgroup/web.slice/cpu.max': '50000 200000\n',
      'sys/fs/cgroup/web.slice/memory.max': `${700 * MB}\n`,
      'sys/fs/cgroup/web.slice/memory.current': `${500 * MB}\n`,
    })
    expect(containerLimits(root)).toEqual({ memoryBytes: 700 * MB, memoryUsedBytes: 500 * MB, cpuCores: 0.25 })
    expect(memoryGroups(root)).toHaveLength(2)
  })

  it.each([
    ['there is no limit', { ...docker, 'sys/fs/cgroup/cpu.max': 'max 100000\n', 'sys/fs/cgroup/memory.max': 'max\n' }],
    [
      'the older kind says so in its ways',
      {
        ...olderDocker,
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
    ],
    ['there are no control groups', {}],
    ['there is a path that leads nowhere', { 'proc/self/cgroup': '0::/gone\n' }],
    ['the files are none', { ...docker, 'sys/fs/cgroup/cpu.max': '', 'sys/fs/cgroup/memory.max': 'x' }],
  ])('has none where %s', (_, files: Readonly<Record<string, string>>) => {
    const root = fileSystem(files)
    expect(containerLimits(root)).toEqual(NOTHING)
    expect(throttledSeconds(root)).toBeNull()
  })

  it('takes a controller from the older kind where both are mounted', () => {
    const both = { ...olderDocker, 'proc/self/cgroup': `${olderDocker['proc/self/cgroup']}0::/\n` }
    expect(containerLimits(fileSystem(both))).toMatchObject({ memoryBytes: 512 * MB, cpuCores: 1.5 })
  })
})
