// Statuses as a supervisor tells them, with whatever a test changes.

import type { AppStatus, InstanceStatus, WorkerStatus } from '../../src/control/messages.ts'

export function worker(id: number, change: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    id,
    pid: 411 + id,
    state: 'serving',
    restarts: 0,
    crashes: 0,
    cpuPercent: 1.2,
    rssBytes: 53_477_376,
    children: { count: 0, rssBytes: 0 },
    uptimeSeconds: 12.5,
    connections: 3,
    requests: 100,
    loopDelayMs: 1,
    adopted: false,
    generation: 1,
    retryInSeconds: null,
    ...change,
  }
}

export function app(change: Partial<AppStatus> & { readonly workers?: readonly WorkerStatus[] } = {}): AppStatus {
  const { workers = [worker(1), worker(2)], ...rest } = change
  return {
    name: 'web',
    state: 'online',
    reason: null,
    active: 'blue',
    instances: 2,
    listeners: [{ address: '0.0.0.0', port: 3000, path: null, slots: 8 }],
    operation: null,
    rollout: null,
    lastRollout: null,
    nextStart: null,
    watching: false,
    probes: [],
    rehearsal: null,
    groups: {
      blue: {
        release: 'r1',
        version: '1.4.0',
        path: '/srv/web',
        role: 'active',
        rssBytes: null,
        traffic: null,
        workers,
      },
      green: null,
    },
    ...rest,
  }
}

export function instance(change: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    instance: 'default',
    pid: 411,
    version: '0.1.0',
    nodeVersion: 'v24.21.0',
    detached: true,
    keptBy: { who: 'nobody', pid: null },
    zombies: null,
    startedAt: '2026-01-01T00:00:00.000Z',
    limits: { memoryBytes: null, memoryUsedBytes: null, cpuCores: null },
    apps: [app()],
    ...change,
  }
}
