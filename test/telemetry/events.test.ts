import { describe, expect, it } from 'vitest'
import { EventLog, type EventLogger } from '../../src/telemetry/events.ts'

describe('EventLog', () => {
  it('record() numbers and dates an event, keeps it and logs it with its fields', () => {
    const logged: unknown[] = []
    const logger = loggerInto(logged)
    const log = new EventLog({ logger, now: atEight })

    const event = log.record(
      { type: 'workerExited', app: 'web', worker: 2, text: 'worker 2 exited', cause: 'worker' },
      'warn',
    )

    expect(event).toEqual({
      seq: 1,
      time: '2026-11-22T08:00:00.000Z',
      type: 'workerExited',
      app: 'web',
      worker: 2,
      text: 'worker 2 exited',
      cause: 'worker',
      actor: { kind: 'worker', name: null },
    })
    expect(log.feed('web', 10).recent).toEqual([event])
    expect(logged).toEqual([
      ['warn', { app: 'web', type: 'workerExited', worker: 2, cause: 'worker' }, 'worker 2 exited'],
    ])
  })

  it('feed() of one app has no event of another, and follows', () => {
    const log = new EventLog({ logger: loggerInto([]) })
    log.record({ type: 'started', app: 'web', text: 'a', cause: 'test' })
    log.record({ type: 'stopped', app: 'api', text: 'b', cause: 'test' })
    const feed = log.feed('web', 10)
    const seen: string[] = []
    feed.follow((event) => seen.push(event.type))
    log.record({ type: 'watching', app: null, text: 'c', cause: 'test' })
    log.record({ type: 'flipped', app: 'web', text: 'd', cause: 'test' })
    expect([feed.recent.map((event) => event.type), seen]).toEqual([['started'], ['flipped']])
    expect(log.feed(null, 2).recent.map((event) => event.type)).toEqual(['watching', 'flipped'])
  })
})

function atEight(): Date {
  return new Date('2026-11-22T08:00:00.000Z')
}

function loggerInto(logged: unknown[]): EventLogger {
  const at = (level: string) => (fields: object, text: string) => void logged.push([level, fields, text])
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

it('EventLog.goOnFrom() has what another process wrote meanwhile, and numbers on from there (S7)', () => {
  const log = new EventLog({ logger: loggerInto([]) })
  const own = log.record({ type: 'started', app: 'web', text: 'a', cause: 'test' })
  const followed: number[] = []
  log.feed('web', 10).follow(({ seq }) => followed.push(seq))
  log.goOnFrom({ recent: [own, { ...own, seq: 2, text: 'by the other' }] })
  log.record({ type: 'stopped', app: 'web', text: 'c', cause: 'test' })
  expect(log.feed('web', 10).recent.map(({ seq, text }) => [seq, text])).toEqual([
    [1, 'a'],
    [2, 'by the other'],
    [3, 'c'],
  ])
  expect(followed).toEqual([2, 3])
})
