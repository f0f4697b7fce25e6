import { describe, expect, it } from 'vitest'
import { CHECKS, judge } from '../../../src/cli/doctor/checks.ts'
import type { HostFacts } from '../../../src/cli/doctor/finding.ts'
import { app, facts, instance, place, supervisor, systemd } from './healthy-facts.ts'

/** Those that are not well, as `level about: says`. */
function told(change: Partial<HostFacts>): readonly string[] {
  const findings = judge(facts(change)).filter(({ level }) => level !== 'fine')
  for (const { level, why, fix } of findings) {
    if (level === 'note') continue
    expect(why).toBeTruthy()
    expect(fix).toBeTruthy()
  }
  return findings.map(({ level, about, says }) => `${level} ${about}: ${says}`)
}

const self = facts().self
const kernel = facts().kernel
const groups = facts().groups
const limits = { filesSoft: 65_536, filesHard: 65_536, processes: 100_000 }
const withGroups = (change: Partial<typeof groups>, ofApp: Parameters<typeof app>[0] = {}) => ({
  instances: [instance({ supervisor: supervisor({ groups: { ...groups, ...change } }), apps: [app(ofApp)] })],
})
const withApp = (change: Parameters<typeof app>[0]) => ({ instances: [instance({ apps: [app(change)] })] })
const withSupervisor = (change: Parameters<typeof supervisor>[0]) => ({
  instances: [instance({ supervisor: supervisor(change) })],
})
const OTHER_SCHEMA = {
  says: 'Cannot read the answer of instance "web": it speaks schema 2, this command 1',
  fix: 'Use the `supervise` command of the version that runs the instance.',
}
const dead = { state: 'dead', supervisor: null, apps: [] } as const

describe('judge()', () => {
  it('finds nothing on a host where all is well, and says so for each check that has something to look at', () => {
    const findings = judge(facts())
    expect(findings.filter(({ level }) => level !== 'fine')).toEqual([])
    const silent = CHECKS.map(({ name }) => name).filter((name) => !findings.some(({ check }) => check === name))
    expect(silent).toEqual(['firstProcess'])
  })

  it('is content with a host on which nothing runs', () => {
    expect(told({ instances: [], limits })).toEqual([])
  })

  it('takes a name that nothing has for a mistake, unless there is a unit of that name', () => {
    const nobody = { asked: 'wbe', instances: [], limits }
    expect(told({ ...nobody, systemd: systemd({ units: [] }) })).toEqual([
      'problem instance wbe: no supervisor runs it, none has left anything, and it has no unit',
    ])
    expect(told(nobody)).toEqual(['note instance wbe: no supervisor runs it, and none has left anything'])
  })

  it('says how a dead instance is started again: by its own unit, and not by one of its name', () => {
    const left = { ...dead, appsLeft: ['shop'] }
    const fixOf = (path: string) =>
      judge(facts({ instances: [instance({ ...left, path })] })).find(({ about }) => about === 'instance web')?.fix
    expect(fixOf('/run/supervise/web')).toContain('`systemctl start web` starts it again')
    expect(fixOf('/run/user/1000/supervise/web')).toContain('`supervise start shop --instance web` starts it again')
  })

  it.each<[string, Partial<HostFacts>]>([
    ['problem Node.js: 24.21.0 lacks IPC pipes', { self: { ...self, linkMissing: 'IPC pipes' } }],
    ['note Node.js: 23.1.0: not among', { self: { ...self, nodeVersion: 'v23.1.0' }, instances: [] }],
    ['note Node.js: 24.21.0 on darwin', { self: { ...self, platform: 'darwin' } }],
    [
      'problem instance web: the Node binary that its supervisor runs was deleted',
      withSupervisor({ isNodeGone: true }),
    ],
    ['warning instance web: its supervisor is version 0.0.9', withSupervisor({ version: '0.0.9' })],
    ['note instance web: its supervisor runs Node 22.22.0', withSupervisor({ nodeVersion: 'v22.22.0' })],
  ])('judges Node: %s', (expected, change) => expect(told(change)).toEqual([expect.stringContaining(expected)]))

  it.each<[string, Partial<HostFacts>]>([
    ['problem instance web: its supervisor does not answer', { instances: [instance({ ...dead, state: 'silent' })] }],
    [
      'warning instance web: Cannot read the answer of instance "web": it speaks schema 2',
      { instances: [instance({ ...dead, state: 'alive', answerProblem: OTHER_SCHEMA })] },
    ],
    ['warning instance web: Cannot read', { instances: [instance({ answerProblem: OTHER_SCHEMA })] }],
    [
      'problem instance web: its supervisor is dead, 2 workers still run (pids 7, 8)',
      { instances: [instance({ ...dead, orphans: { count: 2, pids: [7, 8] } })] },
    ],
    [
      'problem instance web: its supervisor died, and nothing of shop runs',
      { instances: [instance({ ...dead, appsLeft: ['shop'] })] },
    ],
    ['warning instance web: its directory was left behind', { instances: [instance(dead)] }],
    [
      'warning instance web: its state file cannot be read',
      { instances: [instance({ ...dead, stateProblem: 'its state file cannot be read' })] },
    ],
    ['warning instance web: its keeper (pid 412) is gone', withSupervisor({ isKeeperAlive: false })],
    ['note instance web: nobody brings', withSupervisor({ keptBy: { who: 'nobody', pid: null } })],
    [
      'note instance web: its supervisor runs in a terminal',
      withSupervisor({ keptBy: { who: 'nobody', pid: null }, detached: false }),
    ],
    ['note instance web: the clock of this host was set back', withSupervisor({ startedAt: self.now + 3_600_000 })],
    [
      'problem instance web: others may use /run/user/1000/supervise/web (mode 770)',
      { instances: [instance({ mode: 0o770 })] },
    ],
    ['problem instance web: /run/user/1000/supervise/web belongs to uid 33', { instances: [instance({ owner: 33 })] }],
    ['problem instance web: paths of its sockets have 120 bytes', { instances: [instance({ socketPathBytes: 120 })] }],
  ])('judges instances: %s', (expected, change) => expect(told(change)).toEqual([expect.stringContaining(expected)]))

  it.each<[string, Partial<HostFacts>]>([
    [
      'problem app shop: it is degraded: 1 of 2 workers serve',
      withApp({ state: 'degraded', reason: '1 of 2 workers serve' }),
    ],
    ['problem app shop: /srv/gone is not there any more', withApp({ missingPaths: ['/srv/gone'] })],
    ['warning app shop: a reload would refuse its config: no', withApp({ configProblem: 'no' })],
    ['problem app shop: nobody accepts on 0.0.0.0:3000', withApp({ unreachable: ['0.0.0.0:3000'] })],
    ['note processes: 1 zombie, of 413', { zombies: [{ pid: 9, parent: 413 }] }],
    ['warning processes: 20 zombies', { zombies: Array.from({ length: 20 }, (_, pid) => ({ pid, parent: 413 })) }],
  ])('judges apps and processes: %s', (expected, change) =>
    expect(told(change)).toEqual([expect.stringContaining(expected)]),
  )

  it('names an init where the supervisor is the first process', () => {
    const change = { ...withSupervisor({ pid: 1 }), zombies: [{ pid: 9, parent: 1 }] }
    expect(told(change)).toEqual([
      'problem processes: 1 zombie, of 1',
      expect.stringContaining('warning instance web: its supervisor is the first process'),
    ])
    expect(JSON.stringify(judge(facts(change)))).toContain('docker run --init')
  })

  it.each<[string, Partial<HostFacts>]>([
    ['warning this shell: at most 1024 open files', { instances: [], limits: { ...limits, filesHard: 1024 } }],
    ['problem instance web: at most 100 open files', withSupervisor({ limits: { ...limits, filesHard: 100 } })],
    ['problem instance web: at most 30 processes', withSupervisor({ limits: { ...limits, processes: 30 } })],
    [
      'problem instance web: worker 1 of shop has 900 of 1024 files open',
      withApp({ workers: [{ id: 1, pid: 413, openFiles: 900, filesSoft: 1024 }] }),
    ],
    ['warning instance web: 900 MB of 1.0 GB', withGroups({ memoryBytes: 2 ** 30, memoryUsedBytes: 900 * 2 ** 20 })],
    ['note instance web: 4 workers share 1.5 CPUs', withGroups({ cpuCores: 1.5 }, { wanted: 4 })],
    ['problem instance web: 95 of 100 processes', withGroups({ pidsMax: 100, pidsNow: 95 })],
    ['problem this shell: 95 of 100 processes', { instances: [], groups: { ...groups, pidsMax: 100, pidsNow: 95 } }],
    ['warning kernel: net.core.somaxconn is 128', { kernel: { ...kernel, somaxconn: 128 } }],
    ['warning kernel: 900000 files are open', { kernel: { ...kernel, filesOpen: 900_000 } }],
    ['warning kernel: vm.overcommit_memory is 2', { kernel: { ...kernel, overcommit: 2 } }],
    [
      'warning kernel: fs.inotify.max_user_watches is 100',
      { ...withApp({ isWatching: true }), kernel: { ...kernel, inotifyWatches: 100 } },
    ],
  ])('judges limits: %s', (expected, change) => expect(told(change)).toEqual([expect.stringContaining(expected)]))

  it('leaves root its processes, and what nobody watches its few watches', () => {
    const root = instance({ owner: 0, supervisor: supervisor({ limits: { ...limits, processes: 30 } }) })
    expect(told({ self: { ...self, uid: 0 }, instances: [root] })).toEqual([])
    expect(told({ kernel: { ...kernel, inotifyWatches: 100 } })).toEqual([])
  })

  it.each<[string, Partial<HostFacts>]>([
    [
      'problem runtime directory: /run/user/1000/supervise: this user may not',
      { places: [place({ isWritable: false })] },
    ],
    [
      'problem runtime directory: /run/user/1000/supervise: 1.0 MB are free',
      { places: [place({ freeBytes: 2 ** 20 })] },
    ],
    [
      'warning runtime directory: /run/user/1000/supervise: 50 MB of 10 GB',
      { places: [place({ freeBytes: 50 * 2 ** 20 })] },
    ],
    ['problem runtime directory: /run/user/1000/supervise: room for 9 more', { places: [place({ freeInodes: 9 })] }],
    ['warning runtime directory: /run/user/1000/supervise is removed', { places: [place({ endsWithSession: true })] }],
    ['warning runtime directory: /run/user/1000/supervise lies where', { places: [place({ isTidied: true })] }],
    [
      'note runtime directory: /run/user/1000/supervise lies where',
      { places: [place({ isTidied: true })], instances: [] },
    ],
    ['note environment: HOME is not set', { self: { ...self, home: null } }],
  ])('judges directories: %s', (expected, change) => expect(told(change)).toEqual([expect.stringContaining(expected)]))

  it('overlooks a directory in which nothing is while all that runs is a unit', () => {
    const unit = instance({ path: '/run/supervise/web' })
    expect(told({ places: [place({ endsWithSession: true, isTidied: true })], instances: [unit] })).toEqual([])
  })

  it('takes no file system without a number of inodes for a full one', () => {
    expect(told({ places: [place({ totalInodes: 0, freeInodes: 0 })] })).toEqual([])
  })
})
