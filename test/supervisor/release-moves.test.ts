import { describe, expect, it } from 'vitest'
import { makeGate, Scene } from './release-moves-scene.ts'

const QUICK = { bakeMs: 0, rollbackWindowMs: 5_000, abortDelayMs: 0 }

describe('a flip by hand', () => {
  it('takes the release back whose end becomes due while the workers are told (B4, R11)', async () => {
    const scene = await Scene.begin(QUICK)
    await scene.pass(scene.ask('deploy'))
    await scene.passUntil(() => scene.step === 'retiring')
    await scene.passMs(4_500)
    const [blocked] = scene.workersOf('r2')
    if (blocked !== undefined) scene.silent.add(blocked)
    const flipped = scene.ask('flip')
    await scene.passMs(800)
    expect([scene.step, scene.statesOf('r1')]).toEqual(['retiring', ['standby', 'standby']])
    expect(await scene.pass(flipped)).toMatchObject({ ok: true })
    expect([scene.step, scene.releases()]).toEqual(['withdrawn', ['r1', 'r2']])
    await scene.passUntil(() => scene.step === 'done')
    expect([scene.releases(), scene.statesOf('r1')]).toEqual([
      ['r1', null],
      ['serving', 'serving'],
    ])
  })

  it('is what an abort meanwhile is too late for', async () => {
    const scene = await Scene.begin({ ...QUICK, autoPromote: false })
    await scene.pass(scene.ask('deploy'))
    expect(scene.step).toBe('awaiting')
    const [blocked] = scene.workersOf('r1')
    if (blocked !== undefined) scene.silent.add(blocked)
    const flipped = scene.ask('flip')
    await scene.passMs(100)
    const aborted = scene.ask('abort')
    await expect(scene.pass(aborted)).rejects.toMatchObject({ code: 'ROLLOUT_PROMOTED' })
    expect(await scene.pass(flipped)).toMatchObject({ ok: true })
    expect([scene.step, scene.releases()]).toEqual(['retiring', ['r2', 'r1']])
    expect(scene.statesOf('r2')).toEqual(['serving', 'serving'])
  })

  it('kills nobody who has time left to answer when the watch goes back meanwhile', async () => {
    const scene = await Scene.begin({ ...QUICK, bakeMs: 60_000 })
    await scene.pass(scene.ask('deploy'))
    for (const worker of scene.workersOf('r2')) scene.silent.add(worker)
    const flipped = scene.ask('flip')
    await scene.passMs(500)
    scene.desk.runnerOf('web')?.handle({ type: 'bakeFailed', why: 'it is bad' })
    await scene.passMs(100)
    scene.silent.clear()
    const { app } = scene
    for (const worker of app.processes()) app.routing.answered(worker, Number.MAX_SAFE_INTEGER)
    expect(await scene.pass(flipped)).toMatchObject({ ok: true })
    expect([scene.releases()[0], scene.events('workerKilled')]).toEqual(['r1', []])
  })

  it('changes nothing any more when the app is stopped meanwhile (R9)', async () => {
    const scene = await Scene.begin(QUICK)
    await scene.pass(scene.ask('deploy'))
    for (const worker of scene.workersOf('r2')) scene.silent.add(worker)
    const flipped = scene.ask('flip')
    await scene.passMs(100)
    await scene.pass(scene.app.end('drain'))
    expect(await scene.pass(flipped)).toMatchObject({ ok: false, error: { code: 'OPERATION_ABORTED' } })
    expect([scene.releases(), scene.events('flipped').length]).toEqual([['r2', null], 1])
  })

  it('is no alarm, and who did it is named', async () => {
    const scene = await Scene.begin({ ...QUICK, bakeMs: 60_000 })
    await scene.pass(scene.ask('deploy'))
    await scene.pass(scene.ask('rollback', 'command by anna'))
    expect(scene.events('rolledBack')).toEqual([])
    expect(scene.events('rolloutStep').at(-1)).toMatchObject({ cause: 'command by anna' })
    expect(scene.desk.runnerOf('web')?.rollout.outcome).toBe('rolledBack')
  })
})

describe('a rollback that has to wait', () => {
  it('is done when somebody else has rolled back meanwhile', async () => {
    const scene = await Scene.begin({ ...QUICK, rollbackWindowMs: 0 })
    for (const worker of scene.workersOf('r1')) scene.busy.add(worker)
    await scene.pass(scene.ask('deploy'))
    await scene.passUntil(() => scene.step === 'endingOld')
    const [gone] = scene.workersOf('r1')
    if (gone !== undefined) scene.exit(gone)
    const both = Promise.all([scene.ask('rollback'), scene.ask('rollback')])
    const [first, second] = await scene.pass(both)
    expect(first.text).toMatch(/r1 .*is active; switched/)
    expect(second).toMatchObject({ ok: true, text: expect.stringMatching(/r1 .*is active already/) })
    expect(scene.releases()[0]).toBe('r1')
  })

  it('starts the release again when that has ended meanwhile', async () => {
    const scene = await Scene.begin({ ...QUICK, rollbackWindowMs: 2_000 })
    await scene.pass(scene.ask('deploy'))
    const { promise, resolve } = Promise.withResolvers<never>()
    const context = { cause: 'test', progress: () => {} }
    void scene.app.operations.run('reload', '', context, () => promise)
    const rolledBack = scene.ask('rollback')
    await scene.passUntil(() => scene.step === 'done')
    resolve({} as never)
    expect(await scene.pass(rolledBack)).toMatchObject({ ok: true, release: 'r3' })
    expect(scene.releases()).toEqual(['r3', 'r2'])
  })
})

describe('a deploy', () => {
  it('stays beside what serves when the watch has gone back while it asked (B6)', async () => {
    const scene = await Scene.begin({ ...QUICK, bakeMs: 60_000 })
    await scene.pass(scene.ask('deploy'))
    const gate = makeGate()
    const hook = { by: 'command', command: gate.command, withinMs: 60_000 } as const
    scene.config = { ...scene.config, autoPromote: false, hooks: { 'pre-rollout': hook } }
    const third = scene.ask('deploy')
    await scene.passMs(100)
    scene.desk.runnerOf('web')?.handle({ type: 'bakeFailed', why: 'it is bad' })
    await scene.passUntil(() => scene.releases()[0] === 'r1')
    gate.open()
    expect(await scene.pass(third)).toMatchObject({ ok: true })
    expect([scene.step, scene.releases()]).toEqual(['awaiting', ['r1', 'r3']])
    expect(scene.statesOf('r1')).toEqual(['serving', 'serving'])
  })

  it('is refused when what it could not live beside has got the traffic back while it asked', async () => {
    const scene = await Scene.begin({ ...QUICK, bakeMs: 60_000 })
    scene.nextWrites({ writes: 1, reads: [1, 2] })
    await scene.pass(scene.ask('deploy'))
    scene.nextWrites({ writes: 2, reads: [1, 2] })
    const gate = makeGate()
    const hook = { by: 'command', command: gate.command, withinMs: 60_000 } as const
    scene.config = { ...scene.config, hooks: { 'pre-rollout': hook } }
    const third = scene.ask('deploy')
    await scene.passMs(100)
    scene.desk.runnerOf('web')?.handle({ type: 'bakeFailed', why: 'it is bad' })
    await scene.passUntil(() => scene.releases()[0] === 'r1')
    gate.open()
    expect(await scene.pass(third)).toMatchObject({ ok: false, error: { code: 'DATA_VERSIONS_APART' } })
    expect(scene.releases()).toEqual(['r1', null])
  })

  it('leaves the release alone that is given the traffic while it waits', async () => {
    const scene = await Scene.begin({ ...QUICK, autoPromote: false })
    await scene.pass(scene.ask('deploy'))
    const [blocked] = scene.workersOf('r1')
    if (blocked !== undefined) scene.silent.add(blocked)
    const promoted = scene.ask('promote')
    const third = scene.ask('deploy')
    await scene.pass(Promise.all([promoted, third]))
    expect(scene.releases()).toEqual(['r2', 'r3'])
    expect(scene.statesOf('r2')).toEqual(['serving', 'serving'])
    expect(scene.app.groups.blue?.generation.release.id).toBe('r3')
  })

  it('is given up by an abort as long as it asks, and the rollout before it goes on', async () => {
    const scene = await Scene.begin({ ...QUICK, bakeMs: 60_000 })
    await scene.pass(scene.ask('deploy'))
    const hook = { by: 'command', command: makeGate().command, withinMs: 60_000 } as const
    scene.config = { ...scene.config, hooks: { 'pre-rollout': hook } }
    const third = scene.ask('deploy')
    await scene.passMs(100)
    const fourth = scene.ask('flip')
    const said = await scene.pass(scene.ask('abort'))
    expect(said.text).toBe('the deploy of r3 is given up; the rollout of r2 goes on')
    expect(await scene.pass(third)).toMatchObject({ ok: false, error: { code: 'DEPLOY_ABORTED' } })
    expect(scene.events('deployRefused')).toEqual([])
    expect(await scene.pass(fourth)).toMatchObject({ ok: true })
    expect(scene.releases()).toEqual(['r1', 'r2'])
  })

  it('leaves no routing behind when it is aborted while its workers are waited for', async () => {
    const scene = await Scene.begin(QUICK)
    const deployed = scene.ask('deploy')
    await scene.passUntil(() => scene.app.standbyGroup !== null)
    const group = scene.app.standbyGroup
    if (group !== null) Object.defineProperty(group, 'isWhole', { get: () => false })
    await scene.passUntil(() => scene.statesOf('r2').join() === 'standby,standby')
    await scene.passMs(100)
    const aborted = scene.ask('abort')
    await scene.settle()
    expect(scene.step).toBe('done')
    await scene.pass(Promise.all([aborted, deployed]))
    await scene.passMs(200)
    expect([scene.releases(), scene.app.routing.isInForce]).toEqual([['r1', null], false])
  })
})
