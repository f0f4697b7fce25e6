// The hand-over as the one that leaves tells it. The supervisor to come is a process that says what a test makes it say; the
// one that leaves has no apps, and notes what is done with it.

/* oxlint-disable typescript/no-unsafe-type-assertion -- what is not asked of the supervisor is left out */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { HAND_OVER } from '../../src/control/upgrade-messages.ts'
import { UpgradeDesk, type UpgradePlace } from '../../src/control/upgrade-desk.ts'
import { linkVersions } from '../../src/supervisor/link-desk.ts'
import { StoppableClock } from '../../src/supervisor/stoppable-clock.ts'
import { isAlive } from '../support/processes.ts'

const CHECK = JSON.stringify({
  version: '2.0.0',
  nodeVersion: process.version,
  handOver: HAND_OVER,
  protocol: linkVersions,
  problems: [],
  configs: [],
})

/** A launcher whose process does this once it was told to go; it has `say`, and `go`, what it was told. */
function launcher(afterGo: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'upgrade-desk-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'launcher.cjs')
  writeFileSync(
    file,
    `if (process.argv.includes('--check')) return void console.log(${JSON.stringify(CHECK)})
    const fs = require('node:fs')
    const fd = Number(process.env.SUPERVISE_HAND_OVER)
    const say = (message) => fs.writeSync(fd, JSON.stringify(message) + '\\n')
    const lines = require('node:readline').createInterface({ input: new (require('node:net').Socket)({ fd }) })
    lines.on('error', () => {})
    lines.on('close', () => process.exit())
    lines.on('line', (line) => {
      const go = JSON.parse(line)
      if (go.type === 'go') { ${afterGo} }
    })
    say({ type: 'prepared' })`,
  )
  return file
}

interface Scene {
  readonly desk: UpgradeDesk
  /** What was done, in order. */
  readonly done: string[]
  readonly errors: unknown[]
  readonly clock: StoppableClock
  upgrade(): Promise<unknown>
}

/** `throwing` names what does not work. */
function makeScene(afterGo: string, throwing: readonly string[] = []): Scene {
  const done: string[] = []
  const errors: unknown[] = []
  const note = (what: string) => (): void => {
    done.push(what)
    if (throwing.includes(what)) throw new Error(`broken: ${what}`)
  }
  const clock = new StoppableClock()
  const supervisor = {
    name: 'web',
    version: '1.0.0',
    apps: [],
    isEnding: false,
    clock,
    watches: { pending: () => ({ web: 'app.js' }) },
    saveNow: note('save'),
    metrics: { standStill: note('count no more'), goOn: note('count on') },
    crashDesk: { books: { close: note('close the books'), goOn: note('open the books') } },
    measures: { supervisorUpgraded: (outcome: string) => done.push(outcome) },
    eventLog: { record: ({ type, text }: { type: string; text: string }) => done.push(`${type}: ${text}`) },
    internalError: (error: unknown) => errors.push(error),
  }
  const place = {
    supervisor,
    entrances: {
      handOver: async () => note('hand over')(),
      takeBack: async () => note('take back')(),
      takeLinkBack: () => done.push(`listen to workers, clock ${clock.isStopped ? 'stopped' : 'running'}`),
    },
    signals: { hold: note('hold signals'), serve: note('serve signals'), passOnTo: note('pass signals on') },
    manager: { takeOver: async () => note('be the unit')(), passedOn: { variables: {}, descriptors: [] } },
    offer: { detached: true, isKept: false, isBroughtBack: false, logFormat: 'json', admin: null },
    standIn: null,
    eventsWritten: note('read events'),
  } as unknown as UpgradePlace
  const desk = new UpgradeDesk(place)
  const request = { node: process.execPath, launcher: launcher(afterGo) }
  return { desk, done, errors, clock, upgrade: () => desk.upgrade(request, 'test') }
}

const TAKEN_BACK = ['take back', 'read events', 'be the unit', 'listen to workers, clock stopped', 'open the books']

it('UpgradeDesk tells whoever waits that another supervisor is in charge, and that one which file had changed (S7)', async () => {
  const { desk, done, upgrade, errors } = makeScene(
    `if (go.changed.web === 'app.js') say({ type: 'taken' }); setInterval(() => {}, 1000)`,
  )
  const told: string[] = []
  desk.onReplaced(({ code }) => told.push(code))
  const forget = desk.onReplaced(() => told.push('one that went'))
  forget()
  expect(await upgrade()).toMatchObject({ from: '1.0.0', to: '2.0.0', dryRun: false })
  const successor = await desk.handedOver
  await successor.kill()
  expect([told, errors, done.includes('take back')]).toEqual([['SUPERVISOR_REPLACED'], [], false])
  expect(done.slice(0, 5)).toEqual(['hold signals', 'save', 'count no more', 'close the books', 'hand over'])
  await expect(desk.whenInCharge()).rejects.toMatchObject({ code: 'JUST_UPGRADED' })
  // Its sockets are closed: it could hand over nothing.
  await expect(upgrade()).rejects.toMatchObject({ code: 'JUST_UPGRADED' })
})

it.each([
  ['dies', 'process.exit(4)', /given up while it took over: it exited with code 4/],
  ['talks nonsense', `fs.writeSync(fd, 'what?\\n')`, /it said what cannot be read: "what\?"/],
  [
    'fails',
    `say({ type: 'failed', error: { code: 'NEW', message: 'Error: no' } })`,
    /the new one failed while it took/,
  ],
])('UpgradeDesk takes everything back when the new one %s after it was told to go (S7)', async (_how, afterGo, why) => {
  const { desk, done, clock, upgrade, errors } = makeScene(afterGo)
  await expect(upgrade()).rejects.toMatchObject({ code: 'UPGRADE_REFUSED', message: expect.stringMatching(why) })
  await desk.whenInCharge()
  const [first = ''] = TAKEN_BACK
  const after = done.slice(done.indexOf(first))
  expect(after).toEqual([...TAKEN_BACK, 'count on', 'save', 'serve signals', 'refused', expect.stringMatching(why)])
  expect([clock.isStopped, desk.successor, errors]).toEqual([false, null, []])
})

it.each(['hold signals', 'save', 'close the books', 'hand over'])(
  'UpgradeDesk is in charge as before when it cannot let go: %s (S7)',
  async (broken) => {
    const { desk, done, clock, upgrade } = makeScene('', [broken])
    await expect(upgrade()).rejects.toMatchObject({
      code: 'UPGRADE_REFUSED',
      lines: expect.arrayContaining([`Error: broken: ${broken}`]),
    })
    await desk.whenInCharge()
    expect(clock.isStopped).toBe(false)
    expect(done).toEqual(expect.arrayContaining([...TAKEN_BACK.slice(0, 3), 'serve signals', 'refused']))
    // And may be asked again.
    await expect(upgrade()).rejects.toMatchObject({ code: 'UPGRADE_REFUSED' })
  },
)

it.each(['read events', 'be the unit', 'open the books'])(
  'UpgradeDesk takes the rest back when a part of it fails: %s (S7)',
  async (broken) => {
    const { done, clock, upgrade, errors } = makeScene('process.exit(4)', [broken])
    await expect(upgrade()).rejects.toThrow(/exited with code 4/)
    expect([clock.isStopped, errors]).toEqual([false, [new Error(`broken: ${broken}`)]])
    expect(done).toContain('serve signals')
  },
)

it('UpgradeDesk goes on when its lock cannot be had again, as long as nobody else has the instance (S7)', async () => {
  const { clock, upgrade, errors } = makeScene('process.exit(4)', ['take back'])
  await expect(upgrade()).rejects.toThrow(/exited with code 4/)
  expect([clock.isStopped, errors]).toEqual([false, [new Error('broken: take back')]])
})

it('UpgradeDesk leaves no process of one that it has given up (S7)', async () => {
  const { upgrade } = makeScene(`say({ type: 'failed', error: { message: String(process.pid) } })`)
  const refusal = await upgrade().catch((error: unknown) => error as { readonly lines: readonly string[] })
  const pid = Number((refusal as { readonly lines: readonly string[] }).lines[0])
  expect([pid > 0, isAlive(pid)]).toEqual([true, false])
})
