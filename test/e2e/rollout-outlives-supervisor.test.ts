// A supervisor that is killed at any step of a rollout is followed by one that goes on from that step, or goes back where
// that cannot be: one active group, the one that was acknowledged last, and no request lost by it.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import type { Home } from '../support/home.ts'
import { makeHold } from '../support/hold.ts'
import { eventsOf } from '../support/instance-facts.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive, stateOf } from '../support/processes.ts'
import { appOf, flip, startReleases, type ReleaseScene } from '../support/release-scene.ts'
import { until } from '../support/until.ts'

const STEP_MS = 20_000

/** A command that says that it runs, and ends when the test allows it. */
function gate(home: Home, name: string) {
  const file = join(home.work, name)
  return {
    file,
    command: `echo asked >> ${file}; until [ -e ${file}.go ]; do sleep 0.05; done`,
    asked: () => until(() => existsSync(file), STEP_MS, `${name} runs`),
    open: () => writeFileSync(`${file}.go`, ''),
  }
}

/** The supervisors of one home, one after the other. */
class Lives {
  now: Supervise
  readonly #scene: ReleaseScene

  constructor(scene: ReleaseScene) {
    this.#scene = scene
    this.now = scene.supervise
  }

  async kill(): Promise<void> {
    this.now.signal('SIGKILL')
    await this.now.ended()
  }

  async begin(): Promise<void> {
    const { args, home, load } = this.#scene
    await load.answers(50)
    this.now = await startSupervise(args, { home })
  }

  async step(): Promise<string | null> {
    return (await appOf(this.now)).rollout?.step ?? null
  }

  untilStep(...steps: readonly (string | null)[]): Promise<unknown> {
    const isThere = async () => {
      const step = await this.step()
      if (!steps.includes(step)) throw new Error(`it is at ${step}`)
      return true
    }
    return until(isThere, STEP_MS, `the rollout is at ${steps.join(' or ')}`).catch(async (error: unknown) => {
      const events = await eventsOf(this.now)
      const said = events.map(({ type, text, cause }) => `${type}: ${text} (${cause})`)
      throw new Error(said.slice(-30).join('\n'), { cause: error })
    })
  }

  /** Kills it at this step; the next one must find the same processes, serve the same release, and be at one of `then`. */
  async dieAt(step: string, serving: string, ...then: readonly (string | null)[]): Promise<void> {
    await this.untilStep(step)
    const before = await this.pids(serving)
    expect(before).toHaveLength(2)
    await this.kill()
    await this.begin()
    await this.mustServe(serving)
    expect(await this.pids(serving), step).toEqual(before)
    await this.untilStep(...then)
  }

  async pids(version: string): Promise<readonly (number | null)[]> {
    const { groups } = await appOf(this.now)
    const group = [groups.blue, groups.green].find((each) => each?.version === version)
    return group?.workers.map(({ pid }) => pid) ?? []
  }

  /** The supervisor, its books and every request say the same, and no process is one of a third group. */
  async mustServe(version: string): Promise<void> {
    const { groups, active } = await appOf(this.now)
    expect(groups[active]?.version).toBe(version)
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(this.#scene.target)))
    expect(new Set(answers.map(({ headers }) => headers['x-release']))).toEqual(new Set([version]))
    const known = [groups.blue, groups.green].flatMap((group) => group?.workers.map(({ pid }) => pid) ?? [])
    const strangers = this.#scene.home.workers().filter((pid) => !known.includes(pid) && isAlive(pid))
    expect(strangers).toEqual([])
  }
}

/** The parts of a rollout that the test lets go on, one by one. */
function gatesIn(home: Home) {
  return { boot: gate(home, 'boot'), smoke: gate(home, 'smoke'), confirm: gate(home, 'confirm') }
}

describe('a supervisor that is killed', () => {
  it('at each step of a rollout that goes well is followed by one that goes on from there (S3)', async () => {
    const scene = await startReleases({
      fixture: 'hello.js',
      args: (home) => {
        const { boot, smoke, confirm } = gatesIn(home)
        const held = ['--env', `LATE_UNTIL=${boot.file}.go`, '--smoke', smoke.command]
        const slow = ['--min-ready', '4s', '--no-auto-promote', '--drain-timeout', '30s']
        return [...held, ...slow, '--hook-confirm-promotion', confirm.command]
      },
    })
    const { home, load, target } = scene
    const { boot, smoke, confirm } = gatesIn(home)
    const lives = new Lives(scene)
    const gone = lives.now.cli('deploy', 'web', scene.release('2', 'late-listen.js'))
    // One after the other, on a machine with few processors.
    const oneBoots = async () => (await lives.pids('2')).some(Boolean)
    await until(oneBoots, STEP_MS, 'the new release boots')
    await lives.dieAt('starting', '1', 'starting')
    const { code, stderr } = await gone
    expect(code).toBe(1)
    expect(stderr).toMatch(/the supervisor ended before the result\nTry: .*type `supervise rollout web --watch`/)

    boot.open()
    await lives.dieAt('ready', '1', 'ready')
    await smoke.asked()
    await lives.dieAt('smoking', '1', 'ready', 'smoking')
    smoke.open()
    await lives.dieAt('awaiting', '1', 'awaiting')
    void lives.now.cli('promote', 'web')
    await confirm.asked()
    await lives.dieAt('flipping', '1', 'flipping')
    confirm.open()
    await lives.dieAt('baking', '2', 'baking')
    await flip(lives.now)
    await lives.dieAt('withdrawn', '1', 'withdrawn')
    await flip(lives.now)
    await lives.dieAt('retiring', '2', 'retiring')

    const hold = makeHold(home)
    await flip(lives.now)
    const underWay = get(target, hold.path, 60_000)
    await hold.asked()
    await flip(lives.now)
    void lives.now.cli('deploy', 'web', scene.release('3'))
    await lives.dieAt('endingOld', '2', 'endingOld')
    hold.release()
    expect(await underWay).toMatchObject({ status: 200, headers: { 'x-release': '1' } })
    await lives.untilStep(null)
    await lives.mustServe('2')
    expect(home.workers()).toHaveLength(2)
    mustHaveLostNothing(await load.stop())
    await lives.now.stop()
  })

  it('when some workers have answered a flip and others not is followed by one that has it made (B11, S3)', async () => {
    const scene = await startReleases({ fixture: 'hello.js', args: ['--drain-timeout', '30s'] })
    const { home, load, target } = scene
    const lives = new Lives(scene)
    await scene.deploy('2')
    const killIn = async (moving: Promise<unknown>, to: string) => {
      // Those that go on have answered; the supervisor waits for the one that is stopped.
      moving.catch(() => {})
      const moved = async () => (await get(target)).headers['x-release'] === to
      await until(moved, 2_000, `requests go to release ${to}`)
      await lives.kill()
    }
    const stopOne = async (version: string) => {
      const [pid = null] = await lives.pids(version)
      sendIfAlive(pid ?? 0, 'SIGSTOP')
      await until(() => stateOf(pid ?? 0) === 'T', 2_000, 'a worker answers nothing')
      return pid ?? 0
    }

    let stopped = await stopOne('2')
    await killIn(flip(lives.now), '1')
    sendIfAlive(stopped, 'SIGCONT')
    await lives.begin()
    await lives.mustServe('1')

    stopped = await stopOne('1')
    await killIn(flip(lives.now), '2')
    sendIfAlive(stopped, 'SIGCONT')
    await lives.begin()
    await lives.mustServe('2')
    mustHaveLostNothing(await load.stop())
    expect(home.workers()).toHaveLength(4)
    await lives.now.stop()
  })

  it('and whose state is lost is followed by one that takes the last good release back, and no other (S4)', async () => {
    const scene = await startReleases({ fixture: 'hello.js' })
    const { home, load } = scene
    const lives = new Lives(scene)
    const loseState = async () => {
      await lives.kill()
      writeFileSync(join(home.instanceDirectory(), 'state.json'), '{"schema":')
      await lives.begin()
    }
    const mustHaveTaken = async (version: string, pids: readonly (number | null)[]) => {
      await lives.mustServe(version)
      const areAlone = async () => home.workers().length === 2 && (await lives.pids(version)).length === 2
      await until(areAlone, STEP_MS, 'the workers of the other release are gone')
      await lives.mustServe(version)
      expect(await lives.pids(version)).toEqual(pids)
    }
    await scene.deploy('2')
    // It is watched: nobody has found it good yet.
    const first = await lives.pids('1')
    await loseState()
    await mustHaveTaken('1', first)

    mustExit(await lives.now.cli('deploy', 'web', scene.release('3')), 0)
    mustExit(await lives.now.cli('promote', 'web'), 0)
    const third = await lives.pids('3')
    await loseState()
    await mustHaveTaken('3', third)
    mustExit(await lives.now.cli('deploy', 'web', scene.release('4')), 0)
    await lives.mustServe('4')
    await flip(lives.now)
    await lives.mustServe('3')
    mustHaveLostNothing(await load.stop())
    await lives.now.stop()
  })

  it('while a rollout goes back is followed by one that has it gone back (S3)', async () => {
    const scene = await startReleases({ fixture: 'hello.js', args: ['--drain-timeout', '30s'] })
    const { home, load, target } = scene
    const lives = new Lives(scene)
    await scene.deploy('2')
    const hold = makeHold(home)
    const underWay = get(target, hold.path, 60_000)
    await hold.asked()

    const [pid = null] = await lives.pids('2')
    sendIfAlive(pid ?? 0, 'SIGSTOP')
    void lives.now.cli('abort', 'web')
    await lives.untilStep('goingBack')
    await lives.kill()
    sendIfAlive(pid ?? 0, 'SIGCONT')
    await lives.begin()
    await lives.untilStep('endingNew')
    await lives.dieAt('endingNew', '1', 'endingNew')
    hold.release()
    expect(await underWay).toMatchObject({ status: 200, headers: { 'x-release': '2' } })
    await lives.untilStep(null)
    await lives.mustServe('1')
    expect(home.workers()).toHaveLength(2)
    mustHaveLostNothing(await load.stop())
    await lives.now.stop()
  })
})
