import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { CRASH_LIMITS, CrashBooks, type CrashDraft } from '../../src/supervisor/crash-books.ts'

function draft(more: Partial<CrashDraft> = {}): CrashDraft {
  return {
    fingerprint: 'f',
    title: 'Error: boom',
    at: '2026-01-02T03:04:05.000Z',
    app: 'web',
    group: 'blue',
    release: 'r1',
    worker: 1,
    pid: 7,
    code: 1,
    signal: null,
    reason: 'exit',
    words: 'exited with code 1',
    uptimeSeconds: 1,
    stderr: ['Error: boom'],
    rssBytes: null,
    loopDelayMs: null,
    requestsInFlight: null,
    reportPath: null,
    stack: null,
    mappedStack: null,
    requests: [],
    curve: [],
    heapSnapshots: [],
    ...more,
  }
}

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'crash-books-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

function open(directory: string, complaints: string[] = []): CrashBooks {
  return new CrashBooks(directory, (problem) => complaints.push(problem))
}

/** All ten thousand take 20 s of a core. */
const CRASHES = process.env['SUPERVISE_SOAK'] === undefined ? 2_500 : 10_000

it('thousands of crashes: disk and memory are bounded, counted to the last, and first and last record are kept', () => {
  const directory = place()
  const books = open(directory)
  const long = Array.from({ length: 64 }, () => 'x'.repeat(2000))
  const kept = join(directory, 'crashes')
  const bytes = () => readdirSync(kept).reduce((sum, name) => sum + statSync(join(kept, name)).size, 0)
  let most = 0
  for (let n = 0; n < CRASHES; n += 1) {
    books.add(draft({ stderr: n % 1250 < 300 ? long : ['short'], release: `r${Math.floor((n / CRASHES) * 10)}` }))
    if (n % 1250 === 299) most = Math.max(most, bytes())
  }
  expect(readdirSync(kept).length).toBeLessThanOrEqual(CRASH_LIMITS.records + 1)
  expect(most).toBeGreaterThan(CRASH_LIMITS.bytes / 2)
  expect(most).toBeLessThan(CRASH_LIMITS.bytes + 1024 ** 2)
  expect(books.groups('web')).toMatchObject([{ count: CRASHES, firstId: 'c1', lastId: `c${CRASHES}` }])
  expect(books.find('c1')).toMatchObject({ id: 'c1', release: 'r0' })
  expect(books.find(`c${CRASHES}`)).toMatchObject({ release: 'r9' })
  expect(books.find(`c${CRASHES / 2}`)).toBeNull()
  const inMemory = books.recent('web').reduce((sum, record) => sum + record.stderr.join('').length, 0)
  expect(inMemory).toBeLessThanOrEqual(2 * 1024 ** 2)
  books.close()
}, 60_000)

it('an end and a kill of the supervisor both leave records and counters', () => {
  const directory = place()
  const first = open(directory)
  first.add(draft())
  first.add(draft({ app: 'api' }))
  first.close()
  const killed = open(directory)
  expect(killed.groups(null).map(({ app, count }) => [app, count])).toEqual([
    ['web', 1],
    ['api', 1],
  ])
  // Not closed: its index was not written again.
  killed.add(draft())
  killed.add(draft({ fingerprint: 'other' }))
  writeFileSync(join(directory, 'crashes', 'c99.json'), '{"id":"c99"')

  const third = open(directory)
  expect(third.groups('web').map(({ fingerprint, count, lastId }) => [fingerprint, count, lastId])).toEqual([
    ['f', 2, 'c3'],
    ['other', 1, 'c4'],
  ])
  expect(third.recent('web').map(({ id }) => id)).toEqual(['c1', 'c3', 'c4'])
  expect(existsSync(join(directory, 'crashes', 'c99.json'))).toBe(false)
  expect(third.add(draft()).id).toBe('c5')
})

it('an app that is deleted leaves nothing; others stay', () => {
  const directory = place()
  const books = open(directory)
  books.add(draft())
  books.add(draft({ app: 'api' }))
  books.forget('web')
  expect(books.find('c1')).toBeNull()
  expect(books.groups(null).map(({ app }) => app)).toEqual(['api'])
  expect(
    open(directory)
      .allRecent()
      .map(({ id }) => id),
  ).toEqual(['c2'])
})

it('a directory that cannot be written is said once, and the latest are there all the same', () => {
  const directory = place()
  writeFileSync(join(directory, 'crashes'), 'in the way')
  const complaints: string[] = []
  const books = open(directory, complaints)
  for (let n = 0; n < 5; n += 1) books.add(draft())
  books.close()
  expect(complaints).toEqual([expect.stringContaining('cannot keep crash records: ')])
  expect(books.groups('web')).toMatchObject([{ count: 5 }])
  expect(books.find('c5')?.id).toBe('c5')

  rmSync(join(directory, 'crashes'))
  books.add(draft())
  expect(readdirSync(join(directory, 'crashes'))).toEqual(['c6.json'])
  chmodSync(join(directory, 'crashes'), 0o700)
})

it('records are for their owner alone', () => {
  const directory = place()
  open(directory).add(draft())
  const modes = ['crashes', 'crashes/c1.json'].map((name) => statSync(join(directory, name)).mode & 0o777)
  expect(modes).toEqual([0o700, 0o600])
})

it.each([
  { schema: 1, next: 3 },
  { schema: 1, next: 3, groups: {}, entries: [] },
  { schema: 1, next: 3, groups: [{}], entries: [] },
  { schema: 1, next: 3, groups: [], entries: [null] },
  { schema: 1, next: '3', groups: [], entries: [] },
])('an index that makes no sense is said once, and counts begin anew with the records: %j', (index) => {
  const directory = place()
  const before = open(directory)
  before.add(draft())
  before.add(draft())
  before.close()
  writeFileSync(join(directory, 'crashes', 'index.json'), JSON.stringify(index))
  writeFileSync(join(directory, 'crashes', 'c3.json'), '{"id":"c3"}')
  const complaints: string[] = []
  const books = open(directory, complaints)
  expect(complaints).toEqual([
    expect.stringMatching(/^cannot go on with the counts of crashes: .*index\.json is damaged;/),
  ])
  expect(books.groups('web')).toMatchObject([{ count: 2, firstId: 'c1', lastId: 'c2' }])
  expect(books.add(draft()).id).toBe('c3')
  expect(books.recent('web').map(({ id }) => id)).toEqual(['c1', 'c2', 'c3'])
})

it('CrashBooks.goOn() takes in what another process has kept meanwhile, and keeps its own from then on (S7)', () => {
  const directory = place()
  const first = open(directory)
  first.add(draft({ pid: 7 }))
  first.close()
  const second = open(directory)
  second.add(draft({ pid: 8 }))
  second.add(draft({ pid: 9, worker: 2 }))
  second.close()
  first.goOn()
  // Whose end the first one sees as well, once.
  expect(first.add(draft({ pid: 8 }))).toMatchObject({ id: 'c2' })
  expect(first.add(draft({ pid: 8 }))).toMatchObject({ id: 'c4' })
  expect(first.recent('web').map(({ id, pid }) => [id, pid])).toEqual([
    ['c1', 7],
    ['c2', 8],
    ['c3', 9],
    ['c4', 8],
  ])
  first.close()
  expect(open(directory).groups('web')).toMatchObject([{ count: 4, firstId: 'c1', lastId: 'c4' }])
})

it('CrashBooks.goOn() tries again to write where the disk refuses, as before (S7)', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const directory = place()
  const complaints: string[] = []
  const books = open(directory, complaints)
  books.close()
  books.goOn()
  // A file is where the directory should be.
  rmSync(join(directory, 'crashes'), { recursive: true })
  writeFileSync(join(directory, 'crashes'), '')
  books.add(draft())
  vi.advanceTimersByTime(2_000)
  rmSync(join(directory, 'crashes'))
  vi.advanceTimersByTime(6_000)
  expect(complaints.length).toBeGreaterThan(0)
  expect(open(directory).groups('web')).toMatchObject([{ count: 1 }])
})
