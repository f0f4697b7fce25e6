import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EventRecord } from '../../src/control/messages.ts'
import { EventJournal } from '../../src/state/event-journal.ts'
import { EventLog } from '../../src/telemetry/events.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

function open(directory: string, complaints: string[] = [], segmentBytes?: number): EventJournal {
  const complain = (problem: string) => void complaints.push(problem)
  return new EventJournal(directory, { complain, ...(segmentBytes !== undefined && { segmentBytes }) })
}

function event(seq: number, more: Partial<EventRecord> = {}): EventRecord {
  const time = new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString()
  const actor = { kind: 'worker', name: null } as const
  return { seq, time, type: 'a', app: 'web', text: `event ${seq}`, cause: 'worker', actor, ...more }
}

const everything = () => true

describe('EventJournal', () => {
  it('has what was appended, for its owner alone, and numbers go on', () => {
    const directory = join(place(), 'new')
    const journal = open(directory)
    journal.append(event(1))
    journal.append(event(2))
    expect(open(directory).recent).toEqual([event(1), event(2)])
    expect([statSync(directory).mode & 0o777, statSync(join(directory, 'events.ndjson')).mode & 0o777]).toEqual([
      0o700, 0o600,
    ])

    const log = new EventLog({ logger: silent })
    log.keepIn(open(directory))
    expect(log.record({ type: 'started', app: null, text: 'b', cause: 'supervisor' }).seq).toBe(3)
    expect(log.feed(null, 10).recent.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  it('is bounded by two segments, and reads from both', async () => {
    const directory = place()
    const journal = open(directory, [], 10_000)
    for (let seq = 1; seq <= 1000; seq += 1) journal.append(event(seq))
    const files = readdirSync(directory).toSorted()
    expect(files).toEqual(['events.1.ndjson', 'events.ndjson'])
    const bytes = files.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
    expect(bytes).toBeLessThan(21_000)
    const found = await journal.readBefore(1001, everything, 10_000)
    expect(found.map(({ seq }) => seq)).toEqual(Array.from({ length: found.length }, (_, n) => 1001 - found.length + n))
    expect(bytes - Buffer.byteLength(found.map((one) => `${JSON.stringify(one)}\n`).join(''))).toBe(0)
    expect((await journal.readBefore(990, everything, 3)).map(({ seq }) => seq)).toEqual([987, 988, 989])
    expect(await journal.readBefore(990, everything, 0)).toEqual([])
  })

  it('a last line that is cut, and lines that are none, cost only themselves', () => {
    const directory = place()
    open(directory).append(event(1))
    appendFileSync(join(directory, 'events.ndjson'), 'garbage\nnull\n{"seq":2,"ty')
    const journal = open(directory)
    expect(journal.recent).toEqual([event(1)])
    journal.append(event(3))
    expect(open(directory).recent).toEqual([event(1), event(3)])
  })

  it('a disk that refuses is told once, and what could not be written is when it can be', () => {
    const directory = place()
    // A file in the way of the directory; root may write where it must not.
    const state = join(directory, 'state')
    writeFileSync(state, '')
    const complaints: string[] = []
    const journal = open(state, complaints)
    for (let seq = 1; seq <= 5; seq += 1) journal.append(event(seq))
    expect(complaints).toEqual([
      expect.stringMatching(/^cannot write .*events\.ndjson: .*; later events wait in memory$/),
    ])
    rmSync(state)
    journal.append(event(6))
    expect(open(state).recent.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
    chmodSync(state, 0o700)
  })

  it('a segment that cannot be turned is told once, and no event is written twice', () => {
    const directory = place()
    const previous = join(directory, 'events.1.ndjson')
    mkdirSync(previous)
    const complaints: string[] = []
    const journal = open(directory, complaints, 1000)
    for (let seq = 1; seq <= 50; seq += 1) journal.append(event(seq))
    expect(complaints).toEqual([expect.stringMatching(/^cannot move .*events\.ndjson away: /)])
    expect(open(directory).recent.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
    rmdirSync(previous)
    journal.append(event(51))
    expect(statSync(previous).isFile()).toBe(true)
  })

  it('cannot write at all for long: what waits is bounded', () => {
    const directory = place()
    const state = join(directory, 'state')
    writeFileSync(state, '')
    const journal = open(state)
    for (let seq = 1; seq <= 5000; seq += 1) journal.append(event(seq))
    rmSync(state)
    journal.append(event(5001))
    expect(readFileSync(join(state, 'events.ndjson'), 'utf8').split('\n')).toHaveLength(1001)
  })

  it('a text without end is cut', () => {
    const directory = place()
    open(directory).append(event(1, { text: 'x'.repeat(100_000) }))
    expect(open(directory).recent[0]?.text.length).toBe(8001)
  })

  it('a full disk is told once and leaves no half a line', () => {
    const directory = place()
    // A file may have 8 KiB here: as on a full disk, a write gets half of its way.
    const script = `
      import { EventJournal } from ${JSON.stringify(new URL('../../src/state/event-journal.ts', import.meta.url).href)}
      const journal = new EventJournal(${JSON.stringify(directory)}, { complain: (problem) => console.log(problem) })
      for (let seq = 1; seq <= 300; seq += 1) journal.append({ ...${JSON.stringify(event(0))}, seq })`
    const { stdout, stderr, status } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { encoding: 'utf8' },
    )
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^cannot write .*EFBIG/)])
    const lines = readFileSync(join(directory, 'events.ndjson'), 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(Array.from({ length: lines.length }, (_, n) => n + 1))
    expect(lines.length).toBeGreaterThan(20)
  })
})

describe('EventLog.query()', () => {
  it('reaches back to the disk where memory does not, and nowhere else', async () => {
    const directory = place()
    const journal = open(directory)
    const log = new EventLog({ logger: silent, keep: 10, now: () => new Date(event(seq).time) })
    let seq = 0
    log.keepIn(journal)
    for (seq = 1; seq <= 30; seq += 1)
      log.record({ type: seq % 2 === 0 ? 'started' : 'stopped', app: 'web', text: 'x', cause: 'worker' })
    const ask = async (query: { lines: number; since?: string; types?: readonly string[]; app?: string }) => {
      const feed = await log.query({ app: null, since: null, types: [], ...query })
      return feed.recent.map((one) => one.seq)
    }
    expect(await ask({ lines: 3 })).toEqual([28, 29, 30])
    expect(await ask({ lines: 12 })).toEqual(Array.from({ length: 12 }, (_, n) => n + 19))
    expect(await ask({ lines: 1000, since: event(5).time })).toEqual(Array.from({ length: 26 }, (_, n) => n + 5))
    expect(await ask({ lines: 1000, since: event(27).time })).toEqual([27, 28, 29, 30])
    expect(await ask({ lines: 7, types: ['started'] })).toEqual([18, 20, 22, 24, 26, 28, 30])
    expect(await ask({ lines: 10, app: 'other' })).toEqual([])
  })
})
