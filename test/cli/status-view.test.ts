import { describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/paint.ts'
import { isHealthy, listenerText, renderStatus } from '../../src/cli/status-view.ts'
import type { AppState } from '../../src/control/messages.ts'
import { app, instance, worker } from './statuses.ts'

const NOW = Date.parse('2026-01-01T03:12:00.000Z')

describe('renderStatus()', () => {
  it('shows apps, then every worker, aligned and without lines drawn', () => {
    const status = instance({
      apps: [
        app({ workers: [worker(1), worker(2, { connections: 41, cpuPercent: 99.94 })] }),
        app({
          name: 'jobs',
          state: 'degraded',
          reason: 'worker 2 exited with code 1',
          listeners: [],
          workers: [
            worker(1, { connections: null, adopted: true }),
            worker(2, {
              state: 'backoff',
              pid: null,
              uptimeSeconds: null,
              cpuPercent: null,
              rssBytes: null,
              connections: null,
              restarts: 3,
              crashes: 4,
              retryInSeconds: 4,
            }),
          ],
        }),
      ],
    })
    expect(renderStatus(status, NOW, plain).join('\n')).toMatchInlineSnapshot(`
      "Instance default  pid 411  up 3h 12m  supervise 0.1.0  Node 24.21.0
      ● web   online    2 of 2 workers  r1 (1.4.0)  0.0.0.0:3000
      ◐ jobs  degraded  1 of 2 workers  r1 (1.4.0)
          worker 2 exited with code 1

      APP   RELEASE  WORKER  STATE    PID  UPTIME    CPU   MEM  RESTARTS  CRASHES  CONNS  NOTE
      web   r1            1  serving  412     12s   1.2%  51MB         0        0      3
      web   r1            2  serving  413     12s  99.9%  51MB         0        0     41
      jobs  r1            1  serving  412     12s   1.2%  51MB         0        0      -  adopted
      jobs  r1            2  backoff    -       -      -     -         3        4      -  again in 4s"
    `)
  })

  it('shows what workers have started, and what the container allows', () => {
    const children = { count: 2, rssBytes: 120 * 1024 ** 2 }
    const limits = { memoryBytes: 1024 ** 3, memoryUsedBytes: 412 * 1024 ** 2, cpuCores: 1.5 }
    const lines = renderStatus(
      instance({ limits, apps: [app({ workers: [worker(1, { children }), worker(2, { children: null })] })] }),
      NOW,
      plain,
    )
    expect(lines[1]).toBe('limits around it: memory 412 MB of 1.0 GB used, 1.5 CPUs')
    expect(lines.at(-2)).toMatch(/ {2}with 2 children: 120 MB$/)
    expect(lines.at(-1)).toMatch(/3$/)
  })

  it('shows what is under way', () => {
    const operation = { kind: 'reload', step: 'worker 2 gets ready', sinceSeconds: 3.2, queued: true } as const
    const [, , note] = renderStatus(instance({ apps: [app({ state: 'reloading', operation })] }), NOW, plain)
    expect(note).toBe('    reload: worker 2 gets ready (for 3.2s, another queued)')
  })

  it('shows a rehearsal that is on', () => {
    const rehearsal = { faults: 2, current: { kind: 'stop', worker: 1 }, endsInSeconds: 42, seed: 7 } as const
    expect(renderStatus(instance({ apps: [app({ rehearsal })] }), NOW, plain).join('\n')).toContain(
      'rehearsal of failures (`supervise chaos`): 2 faults so far, now stop on worker 1; over in 42s (seed 7)',
    )
  })

  it('shows what each of two releases takes', () => {
    const { blue } = app().groups
    const groups = { blue: blue && { ...blue, rssBytes: 104 * 1024 ** 2 }, green: blue && { ...blue, release: 'r2' } }
    const lines = renderStatus(instance({ apps: [app({ groups })] }), NOW, plain)
    expect(lines).toContain('    memory: r1 104 MB, r2 -')
  })

  it('shows an instance without apps', () => {
    expect(renderStatus(instance({ apps: [] }), NOW, plain)).toHaveLength(2)
  })

  it('has no space in any cell before the last, so that awk finds the columns', () => {
    const status = instance({ apps: [app({ workers: [worker(1, { uptimeSeconds: 11_520 })] })] })
    const row = renderStatus(status, NOW, plain).at(-1) ?? ''
    expect(row.split(/\s+/)).toHaveLength(11)
    expect(row).toContain('3h12m')
  })
})

describe('isHealthy()', () => {
  it.each<[AppState, boolean]>([
    ['online', true],
    ['reloading', true],
    ['stopped', true],
    ['starting', false],
    ['degraded', false],
    ['failed', false],
    ['stopping', false],
  ])('%s: %s', (state, healthy) => expect(isHealthy(app({ state }))).toBe(healthy))
})

describe('listenerText()', () => {
  it('writes addresses as they are typed', () => {
    const listener = { address: '0.0.0.0', port: 3000, path: null, slots: 8 }
    expect(listenerText(listener)).toBe('0.0.0.0:3000')
    expect(listenerText({ ...listener, address: '::1' })).toBe('[::1]:3000')
    expect(listenerText({ ...listener, address: null })).toBe('*:3000')
    expect(listenerText({ address: null, port: null, path: '/run/web.sock', slots: 1 })).toBe('/run/web.sock')
  })
})
