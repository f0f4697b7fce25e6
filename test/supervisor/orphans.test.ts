import { describe, expect, it } from 'vitest'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import type { Hello } from '../../src/supervisor/link-desk.ts'
import { Orphans } from '../../src/supervisor/orphans.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { FakeClock } from './fake-borrowers.ts'

const quiet = () => {}
const NOBODY = { isOpen: false, onMessage: quiet, onEnd: quiet, send: quiet, close: quiet, ref: quiet, unref: quiet }

function makeScene() {
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const clock = new FakeClock()
  return {
    clock,
    log: new EventLog({ logger }),
    orphans: new Orphans(clock),
  }
}

/** Of a process that lives: this one. */
function helloOf(app: string, incarnation: string, pid = process.pid): Hello {
  const settings = {
    app,
    group: 'blue' as const,
    release: 'r1',
    worker: 1,
    incarnation,
    endpointDirectory: '/tmp',
    heartbeatMs: 1000,
    maxRequestsPerConnection: 0,
    drainTimeoutMs: 30_000,
    drainSpreadMs: 5_000,
    releaseHeader: null,
  }
  const rest = { draining: false, saidReady: false, listeners: [] }
  return { type: 'hello', protocol: PROTOCOL_VERSION, pid, settings, again: true, ...rest }
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false
  void promise.then(() => (settled = true))
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  return settled
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 20) {
    clock.advance(20)
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  }
}

describe('Orphans', () => {
  it('lets an app start at once when nothing was left', async () => {
    const { orphans } = makeScene()
    expect(await isSettled(orphans.whenFound('web'))).toBe(true)
  })

  it('makes an app wait until what may be its worker has been found (S4)', async () => {
    const { orphans, clock } = makeScene()
    orphans.expect(['a', 'b'])
    const start = orphans.whenFound('web')
    orphans.found('a')
    await pass(clock, 100)
    expect(await isSettled(start)).toBe(false)
    orphans.found('b')
    await pass(clock, 100)
    expect(await isSettled(start)).toBe(true)
  })

  it("does not wait for another app's worker", async () => {
    const { orphans, log } = makeScene()
    orphans.expect(['a'])
    orphans.receive(helloOf('mail', 'a'), NOBODY, log)
    expect(await isSettled(orphans.whenFound('web'))).toBe(true)
    expect(orphans.isAwaited('mail')).toBe(true)
  })

  it('waits no longer than 3 s for one that never dials, and not again the next time', async () => {
    const { orphans, clock } = makeScene()
    orphans.expect(['stopped'])
    const start = orphans.whenFound('web')
    await pass(clock, 2_900)
    expect(await isSettled(start)).toBe(false)
    await pass(clock, 200)
    expect(await isSettled(start)).toBe(true)
    expect(await isSettled(orphans.whenFound('web'))).toBe(true)
  })

  it('does not wait for one that has died since it dialled', async () => {
    const { orphans, log } = makeScene()
    orphans.receive(helloOf('web', 'a', 4_194_303), NOBODY, log)
    expect(orphans.isAwaited('web')).toBe(false)
  })

  it('tells once of each that serves without a supervisor, and how to take it back', () => {
    const { orphans, log } = makeScene()
    expect(orphans.receive(helloOf('web', 'a'), NOBODY, log)).toBe(false)
    orphans.receive(helloOf('web', 'a'), NOBODY, log)
    orphans.receive(helloOf('web', 'b'), NOBODY, log)
    const events = log.feed(null, 10).recent
    expect(events.map(({ type }) => type)).toEqual(['orphanFound', 'orphanFound'])
    expect(events[0]?.text).toContain('start "web" to take it back')
  })
})
