import { describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/paint.ts'
import { recordLine, renderFrame, renderPlain, type Progress } from '../../src/cli/progress.ts'
import { textWidth } from '../../src/cli/text-width.ts'
import type { OperationResult, ProgressLine, WorkerStep } from '../../src/control/messages.ts'
import type { RolloutStage } from '../../src/control/release-messages.ts'

type At = readonly [atMs: number, line: ProgressLine]

const step = (worker: number, state: WorkerStep['state'], more: Partial<WorkerStep> = {}): ProgressLine => ({
  type: 'step',
  app: 'web',
  worker,
  state,
  ...more,
})

const stage = (
  name: string,
  state: RolloutStage['state'],
  text: string,
  more: Partial<RolloutStage> = {},
): ProgressLine => ({ type: 'stage', app: 'web', stage: name, state, text, ...more })

const begin: ProgressLine = {
  type: 'begin',
  app: 'web',
  kind: 'reload',
  text: 'r12 → r13  rolling, 4 workers, 1 at a time',
  workers: 4,
}

const result: OperationResult = {
  app: 'web',
  kind: 'reload',
  ok: true,
  text: 'done',
  tookMs: 1,
  workers: 4,
  generation: 2,
  requestsCut: 0,
  steps: [],
  error: null,
}

const record = (lines: readonly At[]): Progress =>
  lines.reduce((progress: Progress, [at, line]) => recordLine(progress, line, at), [])

const frame = (lines: readonly At[], now: number, size = { columns: 100, rows: 24 }): string =>
  renderFrame(record(lines), now, size, plain).join('\n')

const reload: readonly At[] = [
  [0, begin],
  [0, step(1, 'starting')],
  [812, step(1, 'ready', { readyMs: 812 })],
  [820, step(1, 'draining')],
  [2_920, step(1, 'drained', { drainMs: 2_100, served: 14, requestsCut: 0 })],
  [3_000, step(2, 'starting', { note: '/healthz' })],
  [3_000, step(3, 'waiting', { note: 'serving r12' })],
]

describe('renderFrame()', () => {
  it('shows one row a worker, in order', () => {
    expect(frame(reload, 3_500)).toMatchInlineSnapshot(`
      "web  r12 → r13  rolling, 4 workers, 1 at a time                    (Ctrl-C detaches)
        1  ● ready 812ms         old drained 2.1s  (14 requests, 0 cut)
        2  ◐ starting 0.5s       waiting for /healthz
        3  ○ waiting             serving r12
           … 1 more to come"
    `)
  })

  it('shows a drain under way beside what the new worker took to get ready', () => {
    expect(frame(reload.slice(0, 4), 1_320)).toMatchInlineSnapshot(`
      "web  r12 → r13  rolling, 4 workers, 1 at a time                    (Ctrl-C detaches)
        1  ● ready 812ms         old draining 0.5s
           … 3 more to come"
    `)
  })

  it('shows a failure with its reason on one line', () => {
    const lines: readonly At[] = [...reload, [3_200, step(2, 'failed', { note: 'exited with code 1\nafter 0.2s' })]]
    expect(frame(lines, 9_000)).toMatchInlineSnapshot(`
      "web  r12 → r13  rolling, 4 workers, 1 at a time                    (Ctrl-C detaches)
        1  ● ready 812ms         old drained 2.1s  (14 requests, 0 cut)
        2  ✗ failed              exited with code 1 after 0.2s
        3  ○ waiting             serving r12
           … 1 more to come"
    `)
  })

  it('shows a stop', () => {
    const lines: readonly At[] = [
      [0, { type: 'begin', app: 'web', kind: 'stop', text: 'stop, 2 workers', workers: 2 }],
      [0, step(1, 'draining')],
      [0, step(2, 'draining')],
      [400, step(2, 'stopped', { drainMs: 400, served: 1, requestsCut: 3 })],
    ]
    expect(frame(lines, 1_000)).toMatchInlineSnapshot(`
      "web  stop, 2 workers                                               (Ctrl-C detaches)
        1  ◐ draining 1.0s
        2  ○ stopped, drained 400ms  (1 request, 3 cut)"
    `)
  })

  it('shows the stages of a rollout below its workers', () => {
    const lines: readonly At[] = [
      [0, { type: 'begin', app: 'web', kind: 'deploy', text: 'r12 → r13  blue-green, 1 worker', workers: 1 }],
      [0, stage('memory', 'warned', 'too little memory for two releases?')],
      [0, step(1, 'starting')],
      [812, step(1, 'ready', { readyMs: 812 })],
      [900, stage('smoke', 'running', 'smoke test runs')],
      [2_100, stage('smoke', 'done', 'smoke test passed', { tookMs: 1_200 })],
      [2_100, stage('flip', 'done', 'flip in 1.8 ms')],
      [2_100, stage('watch', 'running', 'serves and is watched', { forMs: 600_000, elapsedMs: 10_000 })],
    ]
    expect(frame(lines, 3_100, { columns: 80, rows: 24 })).toMatchInlineSnapshot(`
      "web  r12 → r13  blue-green, 1 worker                           (Ctrl-C detaches)
        1  ● ready 812ms
           ! too little memory for two releases?
           ✓ smoke test passed  1.2s
           ✓ flip in 1.8 ms
           ◐ serves and is watched  11s of 10m"
    `)
    const ended: readonly At[] = [...lines, [3_100, { type: 'result', result }]]
    expect(frame(ended, 9_000)).toMatch(/◐ serves and is watched {2}for 10m$/)
    for (const rows of [4, 6, 8]) {
      const few = renderFrame(record(lines), 3_100, { columns: 80, rows }, plain)
      expect(few.length).toBeLessThan(rows)
      expect(few.at(-1)).toContain('is watched')
    }
  })

  it('says whom it waits for', () => {
    const lines: readonly At[] = [[0, { type: 'queued', app: 'web', behind: 'a reload' }]]
    expect(frame(lines, 0, { columns: 40, rows: 9 })).toBe('web  queued behind a reload')
  })

  it('forgets the hint and what is to come once it has ended', () => {
    expect(frame([...reload, [9_000, { type: 'result', result }]], 9_000).split('\n')).toHaveLength(4)
    expect(frame([...reload, [9_000, { type: 'result', result }]], 9_000)).not.toContain('Ctrl-C')
  })

  it('never is wider or higher than the terminal', () => {
    const many = Array.from({ length: 64 }, (_, index): At => [0, step(index + 1, index < 40 ? 'serving' : 'starting')])
    for (const columns of [1, 12, 33, 59, 60, 80, 200]) {
      for (const rows of [4, 10, 24]) {
        const lines = renderFrame(record([[0, begin], ...many]), 100, { columns, rows }, plain)
        expect(lines.length).toBeLessThan(rows)
        expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(columns)
      }
    }
  })

  it('sums up finished workers first when there are too many rows', () => {
    const many = Array.from({ length: 9 }, (_, index): At => [0, step(index + 1, index === 7 ? 'failed' : 'ready')])
    const lines: readonly At[] = [[0, { ...begin, workers: 9 }], ...many]
    expect(frame(lines, 0, { columns: 80, rows: 6 })).toMatchInlineSnapshot(`
      "web  r12 → r13  rolling, 4 workers, 1 at a time                (Ctrl-C detaches)
        1  ● ready
        2  ● ready
        8  ✗ failed
           … and 6 ready"
    `)
  })

  it('keeps several apps apart', () => {
    const lines: readonly At[] = [
      [0, { ...begin, text: 'start', workers: 1 }],
      [0, { ...begin, app: 'jobs', text: 'start', workers: 1 }],
      [5, { type: 'step', app: 'jobs', worker: 1, state: 'ready', readyMs: 5 }],
    ]
    expect(frame(lines, 5, { columns: 50, rows: 9 })).toMatchInlineSnapshot(`
      "web  start
      jobs  start
        1  ● ready 5ms"
    `)
  })
})

describe('recordLine()', () => {
  it('forgets the figures of the start before when a worker starts again', () => {
    const lines: readonly At[] = [
      [0, begin],
      [0, step(1, 'ready', { readyMs: 5 })],
      [9, step(1, 'starting')],
    ]
    expect(record(lines)[0]?.rows).toEqual([{ since: 9, step: { worker: 1, state: 'starting' } }])
  })

  it('does not change what it was given', () => {
    const before = Object.freeze(record(reload))
    recordLine(before, step(3, 'starting'), 5_000)
    expect(before).toEqual(record(reload))
  })
})

describe('renderPlain()', () => {
  it('tells each stage as it begins and as it ends', () => {
    const texts = [
      stage('settle', 'running', 'all ready, must stay up', { forMs: 1_000, elapsedMs: 0 }),
      stage('settle', 'done', 'all ready, stayed up', { tookMs: 1_003 }),
      stage('smoke', 'running', 'smoke test runs', { elapsedMs: 5 }),
      stage('smoke', 'failed', 'the smoke test `no` failed', { tookMs: 12 }),
    ].map(renderPlain)
    expect(texts).toEqual([
      'web: all ready, must stay up for 1s',
      'web: all ready, stayed up (1.0s)',
      'web: smoke test runs',
      'web: the smoke test `no` failed (12ms)',
    ])
  })

  it('tells one event a line', () => {
    const told = reload.map(([, line]) => renderPlain(line))
    expect(told.join('\n')).toMatchInlineSnapshot(`
      "web: r12 → r13  rolling, 4 workers, 1 at a time
      web: worker 1 starting
      web: worker 1 ready after 812ms
      web: worker 1 draining
      web: worker 1 drained in 2.1s (14 requests, 0 cut)
      web: worker 2 starting: waiting for /healthz
      web: worker 3 waiting: serving r12"
    `)
  })

  it('leaves the result to the end', () => expect(renderPlain({ type: 'result', result })).toBeNull())
})
