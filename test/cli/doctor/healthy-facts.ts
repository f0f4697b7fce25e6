// A host on which everything is well, with whatever a test changes.

import type { AppFacts, InstanceFacts, PlaceFacts, SupervisorFacts } from '../../../src/control/checkup/facts.ts'
import type { HostFacts } from '../../../src/cli/doctor/finding.ts'
import type { SystemdFacts, UnitFacts } from '../../../src/cli/doctor/unit-facts.ts'
import { serviceUnit, socketUnit, type UnitSettings } from '../../../src/systemd/unit-files.ts'

const NOW = Date.parse('2026-11-27T04:00:00.000Z')
const GIGABYTE = 1024 ** 3
const NO_LIMITS = { cpuCores: null, memoryBytes: null, memoryUsedBytes: null, pidsMax: null, pidsNow: null }

export function facts(change: Partial<HostFacts> = {}): HostFacts {
  return {
    asked: null,
    self: {
      version: '0.1.0',
      nodeVersion: 'v24.21.0',
      platform: 'linux',
      linkMissing: null,
      uid: 1000,
      cpus: 2,
      now: NOW,
      home: '/home/web',
    },
    kernel: {
      somaxconn: 4096,
      tcpMigrateReq: 0,
      filesOpen: 2_000,
      filesMax: 1_000_000,
      inotifyWatches: 60_000,
      inotifyInstances: 128,
      overcommit: 0,
    },
    limits: { filesSoft: 65_536, filesHard: 65_536, processes: 100_000 },
    groups: NO_LIMITS,
    places: [place(), place({ what: 'state', path: '/home/web/.local/state/supervise' })],
    instances: [instance()],
    zombies: [],
    systemd: systemd(),
    ...change,
  }
}

export function place(change: Partial<PlaceFacts> = {}): PlaceFacts {
  return {
    what: 'runtime',
    path: '/run/user/1000/supervise',
    exists: true,
    isWritable: true,
    totalBytes: 10 * GIGABYTE,
    freeBytes: 5 * GIGABYTE,
    totalInodes: 100_000,
    freeInodes: 90_000,
    endsWithSession: false,
    isTidied: false,
    ...change,
  }
}

export function instance(change: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    name: 'web',
    state: 'alive',
    path: '/run/user/1000/supervise/web',
    mode: 0o700,
    owner: 1000,
    socketPathBytes: 60,
    socketPathLimit: 107,
    hasControlSocket: true,
    orphans: { count: 0, pids: [] },
    appsLeft: [],
    stateProblem: null,
    supervisor: supervisor(),
    apps: [app()],
    answerProblem: null,
    ...change,
  }
}

export function supervisor(change: Partial<SupervisorFacts> = {}): SupervisorFacts {
  return {
    pid: 411,
    version: '0.1.0',
    nodeVersion: 'v24.21.0',
    startedAt: NOW - 60_000,
    detached: true,
    keptBy: { who: 'keeper', pid: 412 },
    isKeeperAlive: true,
    isNodeGone: false,
    limits: { filesSoft: 65_536, filesHard: 65_536, processes: 100_000 },
    openFiles: 40,
    groups: NO_LIMITS,
    ...change,
  }
}

export function app(change: Partial<AppFacts> = {}): AppFacts {
  return {
    name: 'shop',
    state: 'online',
    reason: null,
    workers: [{ id: 1, pid: 413, openFiles: 40, filesSoft: 65_536 }],
    wanted: 1,
    slots: 8,
    isWatching: false,
    missingPaths: [],
    configProblem: null,
    unreachable: [],
    stopMs: 40_000,
    ...change,
  }
}

export function systemd(change: Partial<SystemdFacts> = {}): SystemdFacts {
  return { version: 252, hasHelper: true, units: [unit()], ...change }
}

export const UNIT: UnitSettings = {
  name: 'web',
  node: '/usr/local/bin/node',
  launcher: '/usr/local/lib/supervise/bin/supervise.js',
  startWords: ['app.js', '-i', '4'],
  workingDirectory: '/srv/web',
  user: 'www-data',
  scope: 'system',
  listen: ['3000'],
  slots: 8,
  stopMs: 40_000,
  memoryMax: null,
  cpuQuota: null,
  bindsLowPort: false,
  systemdVersion: 252,
}

export function unit(change: Partial<UnitFacts> = {}): UnitFacts {
  return {
    name: 'web',
    path: '/etc/systemd/system/web.service',
    scope: 'system',
    service: serviceUnit(UNIT),
    socket: socketUnit(UNIT),
    properties: {
      ActiveState: 'active',
      Result: 'success',
      UnitFileState: 'enabled',
      NeedDaemonReload: 'no',
      Type: 'notify',
      NotifyAccess: 'all',
      KillMode: 'process',
      Restart: 'always',
      WatchdogUSec: '30s',
      TimeoutStopUSec: '55s',
    },
    socketProperties: { ActiveState: 'active', UnitFileState: 'enabled' },
    node: { path: '/usr/local/bin/node', runs: true, leadsTo: null },
    ...change,
  }
}
