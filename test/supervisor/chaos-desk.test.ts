// What may be rehearsed on an app as it is: refused before anything is done to it.

import { describe, expect, it } from 'vitest'
import type { ChaosRequest, InstanceStatus } from '../../src/control/messages.ts'
import type { App } from '../../src/supervisor/app.ts'
import { ChaosDesk, type ChaosOwner } from '../../src/supervisor/chaos-desk.ts'

interface Setting {
  readonly serving?: number
  readonly operation?: string
  readonly step?: string
  readonly isCommand?: boolean
  readonly isStopped?: boolean
  readonly keptBy?: InstanceStatus['keptBy']
}

const NOBODY = { who: 'nobody', pid: null } as const
const REQUEST: ChaosRequest = { forMs: 60_000, everyMs: 5000 }

function deskOf({ serving = 2, operation, step, isCommand = false, isStopped = false, keptBy = NOBODY }: Setting) {
  const app = {
    name: 'web',
    isStopped,
    clock: { now: () => 0 },
    config: { isCommand, restart: 'always', hangTimeoutMs: 30_000, maxMemoryBytes: null },
    counts: () => ({ serving, wanted: 2, failed: 0 }),
    operations: { current: operation === undefined ? null : { kind: operation } },
  }
  const owner = {
    // What a refusal looks at, and no more: whatever goes further fails here.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    apps: [app as unknown as App],
    name: 'default',
    isEnding: false,
    status: () => ({ keptBy }),
    rolloutOf: () => (step === undefined ? null : { step }),
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new ChaosDesk(owner as unknown as ChaosOwner)
}

/** The code and the words of a refusal. */
async function refusalOf(setting: Setting, request: Partial<ChaosRequest> = {}): Promise<string> {
  const context = { cause: 'command by root', progress: () => {} }
  const error: unknown = await deskOf(setting)
    .run('web', { ...REQUEST, ...request }, context)
    .catch((thrown: unknown) => thrown)
  const { code = '', message = '', fix = '' } = Object(error)
  return `${code} ${message} ${fix}`
}

describe('run() refuses', () => {
  it.each<[string, Setting, Partial<ChaosRequest>, RegExp]>([
    ['an operation that is under way', { operation: 'reload' }, {}, /^APP_BUSY .*a reload is under way/],
    ['a rollout that is under way', { step: 'baking' }, {}, /^APP_BUSY .*a rollout is under way/],
    ['an app that is stopped', { isStopped: true }, {}, /^APP_STOPPED/],
    ['an app with one worker', { serving: 1 }, {}, /^CHAOS_REFUSED .*nothing can be done/],
    [
      'a command with one process',
      { serving: 1, isCommand: true },
      {},
      /`supervise scale web 2` gives it another worker\.$/,
    ],
    [
      'a fault of one worker alone',
      { serving: 1 },
      { only: ['memory'] },
      /"memory" on "web": 1 worker serves.*`supervise scale web 2`/,
    ],
    [
      'what there is no time for',
      {},
      { only: ['kill', 'stop'], forMs: 20_000 },
      /"stop" on "web": it may last 35 s.*--only; or give it a longer --for/,
    ],
    ['what needs our code', { isCommand: true }, { only: ['hang'] }, /it is a command.*`--only kill,stop`/],
    [
      'a supervisor that nobody brings back',
      {},
      { only: ['supervisor'] },
      /nobody starts the supervisor again.*`supervise start -d`/,
    ],
    [
      'a supervisor whose keeper is just being started again',
      { keptBy: { who: 'keeper', pid: null } },
      { only: ['supervisor'] },
      /nobody starts the supervisor again/,
    ],
  ])('%s', async (_what, setting, request, words) => {
    expect(await refusalOf(setting, request)).toMatch(words)
  })

  it('an app that is unknown', () => {
    expect(() => deskOf({}).outlook('wep', 60_000)).toThrow('Cannot find the app "wep"')
  })
})

/** Faults that can be done. */
function possible(setting: Setting, forMs = 60_000): readonly string[] {
  const { faults } = deskOf(setting).outlook('web', forMs)
  return faults.flatMap(({ kind, whyNot }) => (whyNot === null ? [kind] : []))
}

describe('outlook()', () => {
  it('says what can be done to the app as it is', () => {
    const all = ['kill', 'stop', 'hang', 'memory', 'delay', 'supervisor']
    expect(possible({ keptBy: { who: 'keeper', pid: 41 } })).toEqual(all)
    expect(possible({ keptBy: { who: 'systemd', pid: null } })).toEqual(all)
    expect(possible({}, 20_000)).toEqual(['kill', 'memory', 'delay'])
    expect(possible({ serving: 1 })).toEqual(['delay'])
    expect(possible({ isCommand: true })).toEqual(['kill', 'stop'])
  })

  it.each([
    ['firstProcess', ', not within 11 s of its start'],
    ['nobody', ''],
  ] as const)('says how old a supervisor is at the least that is killed when %s brings it back', (who, words) => {
    const { faults } = deskOf({ keptBy: { who, pid: null } }).outlook('web', 60_000)
    const text = faults.find(({ kind }) => kind === 'supervisor')?.text
    expect(text).toBe(`SIGKILL to the supervisor, which is brought back${words}`)
  })

  it.each(['awaiting', 'retiring', 'withdrawn'])('has nothing against a rollout that is %s', (step) => {
    expect(deskOf({ step }).outlook('web', 60_000).busy).toBeNull()
  })

  it('says what is under way', () => {
    expect(deskOf({ step: 'flipping' }).outlook('web', 60_000).busy).toBe('rollout')
    expect(deskOf({ operation: 'recycle' }).outlook('web', 60_000).busy).toBe('recycle')
  })
})
