import { describe, expect, it } from 'vitest'
import {
  EMPTY,
  keyOf,
  press,
  recordEvent,
  recordSamples,
  recordStatuses,
  rowsOf,
  selectedRow,
  type TopModel,
} from '../../src/cli/top-model.ts'
import { app, instance, worker } from './statuses.ts'

const two = recordStatuses(EMPTY, [
  instance({ apps: [app(), app({ name: 'api', workers: [worker(1, { pid: 900, state: 'backoff' })] })] }),
])

function samples({ pid, cpuPercent }: { readonly pid: number; readonly cpuPercent: readonly (number | null)[] }) {
  const columns = { secondsAgo: [10, 0], rssBytes: [1000, 2000], childrenRssBytes: [0, 0], loopDelayMs: [1, 1] }
  const whose = { id: 1, pid, group: 'blue', release: 'r1' } as const
  return { app: 'web', everySeconds: 10, workers: [{ ...whose, cpuPercent, ...columns }] }
}

function type(model: TopModel, ...keys: readonly string[]): TopModel {
  return keys.reduce((now, key) => {
    const name = key.length === 1 ? key : key
    return press(now, { name, text: key.length === 1 ? key : '', ctrl: false }).model
  }, model)
}

describe('press()', () => {
  it('moves the selection and stops at both ends', () => {
    expect(two.selected).toBe(0)
    expect(type(two, 'down', 'j').selected).toBe(2)
    expect(type(two, 'down', 'down', 'down', 'down').selected).toBe(2)
    expect(type(two, 'up', 'k').selected).toBe(0)
    expect(selectedRow(type(two, 'down', 'down'))?.app.name).toBe('api')
  })

  it('asks before it does anything, and does it after a yes alone', () => {
    const asked = press(two, { name: 'r', text: 'r', ctrl: false })
    expect(asked.action).toBeNull()
    expect(press(asked.model, { name: 'n', text: 'n', ctrl: false })).toMatchObject({
      action: null,
      model: { mode: { kind: 'browse' } },
    })
    const done = press(asked.model, { name: 'y', text: 'y', ctrl: false })
    expect(done.action).toEqual({ kind: 'reload', instance: 'default', app: 'web' })
    expect(done.model.mode.kind).toBe('browse')
  })

  it('has nothing to do where there is no app', () => {
    const { model, action } = press(EMPTY, { name: 'f', text: 'f', ctrl: false })
    expect([action, model.message]).toEqual([null, 'There is no app to do that to.'])
  })

  it('filters by what is typed, and shows all after Escape', () => {
    const filtered = type(two, '/', 'b', 'a', 'c', 'k', 'return')
    expect(rowsOf(filtered).map((row) => row.app.name)).toEqual(['api'])
    expect(type(filtered, '/', 'backspace').filter).toBe('bac')
    expect(rowsOf(type(filtered, '/', 'escape'))).toHaveLength(3)
    // A letter that is a command elsewhere.
    expect(type(two, '/', 'q').filter).toBe('q')
  })

  it('ends with q and with Ctrl-C, whatever it is asking', () => {
    expect(press(two, { name: 'q', text: 'q', ctrl: false }).quits).toBe(true)
    for (const model of [two, type(two, '/'), type(two, 'r'), type(two, '?')])
      expect(press(model, { name: 'c', text: '\u0003', ctrl: true }).quits).toBe(true)
  })
})

describe('recordStatuses()', () => {
  it('keeps the last hour of each process as it is told, and forgets those that are gone', () => {
    let model = recordSamples(two, 'default', samples({ pid: 412, cpuPercent: [null, 7] }))
    const [row] = rowsOf(model)
    expect(row && model.histories.get(keyOf(row))).toEqual({ cpu: [0, 7], rss: [1000, 2000] })
    model = recordStatuses(model, model.statuses)
    expect(model.histories.size).toBe(1)
    model = recordStatuses(model, [instance({ apps: [app({ workers: [worker(1, { pid: 7 })] })] })])
    expect(model.histories.size).toBe(0)
  })

  it('keeps the selection among what is left', () => {
    expect(recordStatuses(type(two, 'down', 'down'), [instance({ apps: [app()] })]).selected).toBe(1)
    expect(recordStatuses(two, []).selected).toBe(0)
  })
})

it('recordEvent() takes each event once, also when its feed begins again', () => {
  const event = {
    seq: 1,
    time: '2026-01-01T00:00:00.000Z',
    type: 'started',
    app: 'web',
    text: 'up',
    cause: 'test',
    actor: { kind: 'supervisor' as const, name: null },
  }
  expect(recordEvent(recordEvent(EMPTY, event), event).events).toHaveLength(1)
})
