import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/paint.ts'
import { renderRelease } from '../../src/cli/release-view.ts'
import type { ReleaseStatus } from '../../src/control/messages.ts'
import { run, runOnTerminal, screenAfter } from './command.ts'
import { StandIns } from './stand-in.ts'
import { app } from './statuses.ts'

const release: ReleaseStatus = {
  release: 'r2',
  version: '1.5.0',
  node: null,
  path: '/srv/web/2',
  createdAt: '2026-01-02T03:04:05.678Z',
  deployedBy: 'deploy',
  role: null,
  outcome: 'rolledBack',
  why: '20 of 100 requests were answered with 5xx (20 %)',
  endedAt: '2026-01-02T03:05:05.678Z',
  smoke: { passed: true, why: null, output: Array.from({ length: 22 }, (_, at) => `line ${at + 1}\n`).join('') },
  watch: {
    verdict: 'fail',
    why: '20 of 100 requests were answered with 5xx (20 %)',
    watchedSeconds: 2.1,
    bakeSeconds: 600,
    minRequests: 0,
    maxErrorRatio: null,
    requests: 100,
    serverErrors: 20,
    errorRatio: 0.2,
    crashes: 0,
    failingProbes: 1,
    old: { requests: 1000, serverErrors: 1, crashes: 2, errorRatioAtMost: 0.0042 },
    evidence: 1e9,
  },
  contract: null,
}

describe('renderRelease()', () => {
  it('shows how it did when it was tried and while it was watched', () => {
    expect(renderRelease(release, plain)).toEqual([
      'release        r2',
      'version        1.5.0',
      'path           /srv/web/2',
      'created        2026-01-02T03:04:05.678Z by deploy',
      'outcome        rolledBack: 20 of 100 requests were answered with 5xx (20 %)',
      'ended          2026-01-02T03:05:05.678Z',
      'watch          fail after 2.1s',
      '  seen         20 of 100 requests answered with 5xx (20 %), 0 crashed, 1 failing probe',
      '  hour before  1 of 1000 requests answered with 5xx, so at most 0.42 %, 2 crashed',
      'smoke test     passed',
      '    … 2 lines more with --json',
      ...Array.from({ length: 20 }, (_, at) => `    | line ${at + 3}`),
    ])
  })

  it('leaves out what is not known, and says that nothing is to compare with', () => {
    const { watch } = release
    const old = { requests: 0, serverErrors: 0, crashes: 0, errorRatioAtMost: null }
    const nothing = { version: null, outcome: null, why: null, endedAt: null, smoke: null }
    const lines = renderRelease({ ...release, ...nothing, watch: watch && { ...watch, old } }, plain)
    expect(lines).toContain('outcome        under way')
    expect(lines).toContain('  hour before  nothing known, 0 crashed')
    expect(lines.join('\n')).not.toMatch(/version|ended|smoke/)
    expect(renderRelease({ ...release, ...nothing, watch: null }, plain)).toHaveLength(4)
  })
})

describe('supervise history <app> <release>', () => {
  let standIns: StandIns
  beforeEach(() => (standIns = new StandIns()))
  afterEach(() => standIns.end())

  it('shows one release, by its id or its version, and names those there are', async () => {
    const { releases } = await standIns.live('default', [app()]).then(({ operations }) => operations)
    Object.assign(releases, { history: () => [{ ...release, release: 'r1', version: '1.4.0' }, release] })
    const show = (...args: string[]) => run(['history', 'web', ...args], { environment: standIns.environment })
    expect((await show('r2')).stdout).toContain('watch          fail after 2.1s\n')
    expect(JSON.parse((await show('1.5.0', '--json')).stdout)).toMatchObject({ schema: 1, release: { release: 'r2' } })
    const unknown = await show('1.6.0')
    expect([unknown.code, unknown.stderr]).toEqual([4, expect.stringContaining('there is r1, 1.4.0, r2, 1.5.0')])
  })

  it('cuts nothing of the list on a narrow terminal, nor in a pipe', async () => {
    const why = 'worker 1 exited with code 1 before it was ready: Error: no database at /srv/web/releases/43/db.js:1:7'
    const { releases } = await standIns.live('default', [app()]).then(({ operations }) => operations)
    Object.assign(releases, {
      history: () => [{ ...release, deployedBy: 'command by somebody', path: '/srv/web/releases/43', why }],
    })
    const { environment } = standIns
    const { stdout } = await runOnTerminal(['history', 'web'], { columns: 80, rows: 24 }, { environment })
    const lines = screenAfter(stdout, { columns: 80, rows: 24 }).map((line) => line.trim())
    expect(lines[0]).toMatch(/^RELEASE +VERSION +ROLE +OUTCOME +CREATED +BY$/)
    expect(lines[2]).toBe('path: /srv/web/releases/43')
    expect(lines.slice(3).join(' ').trim()).toBe(`why: ${why}`)
    expect((await run(['history', 'web'], { environment })).stdout).toContain(`/srv/web/releases/43  ${why}\n`)
  })
})
