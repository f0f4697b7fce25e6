// The release that was served before leaves only when all that it has is done, may come back as long as it is there, and
// leaves nothing behind that the new one could not answer for.

import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { get, type Answer } from '../support/get.ts'
import { makeHold, type Hold } from '../support/hold.ts'
import { keptClient } from '../support/kept-client.ts'
import { mixedLanes, mustHaveLostNothing } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { activeVersion, appOf, startReleases, type ReleaseScene } from '../support/release-scene.ts'
import { switchLink } from '../support/releases.ts'
import { until } from '../support/until.ts'

const STEP_MS = 20_000
const GOING_AWAY = 1001

function untilStep({ supervise }: ReleaseScene, step: string | null): Promise<unknown> {
  const isThere = async () => ((await appOf(supervise)).rollout?.step ?? null) === step
  return until(isThere, STEP_MS, `the rollout is at ${step}`)
}

/** Requests under way, so many that at least `count` workers have one. */
async function holdUp(scene: ReleaseScene, hold: Hold, count: number): Promise<readonly Promise<Answer>[]> {
  const answers: Promise<Answer>[] = []
  const isEnough = async () => {
    const answer = get(scene.target, hold.path, 60_000)
    answer.catch(() => {})
    answers.push(answer)
    return new Set(await hold.asked(answers.length)).size >= count
  }
  await until(isEnough, STEP_MS, `${count} workers have a request under way`)
  return answers
}

async function pidsOf({ supervise }: ReleaseScene, version: string): Promise<readonly number[]> {
  const { groups } = await appOf(supervise)
  const group = [groups.blue, groups.green].find((each) => each?.version === version)
  return group?.workers.flatMap(({ pid }) => (pid === null ? [] : [pid])) ?? []
}

interface Connected {
  readonly release: string
  readonly closes: number[]
  echo(text: string): Promise<unknown>
  end(): void
}

/** Over a connection that is there already, when one is given. */
async function connectWebSocket(port: number, over?: net.Socket): Promise<Connected> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, over === undefined ? {} : { createConnection: () => over })
  onTestFinished(() => socket.terminate())
  const echoed = new Set<string>()
  const closes: number[] = []
  let release = ''
  socket.on('upgrade', ({ headers }) => (release = String(headers['x-release'])))
  socket.on('message', (data: Buffer) => echoed.add(data.toString()))
  socket.on('close', (code) => closes.push(code))
  await until(() => socket.readyState === WebSocket.OPEN, 5_000, 'the WebSocket is open')
  const echo = (text: string) => {
    socket.send(text)
    return until(() => echoed.has(text), 5_000, `"${text}" is echoed`)
  }
  return { release, closes, echo, end: () => socket.close() }
}

function writePages(directory: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, 'public'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'public', name), text)
}

describe('the old release', () => {
  it('keeps its clients until its drain ends, and forwards what is on its connections (D11, B3)', async () => {
    const args = ['--bake', '0', '--rollback-window', '3s', '--drain-timeout', '4s']
    const scene = await startReleases({ fixture: 'ws.js', args, lanes: mixedLanes() })
    const { load, port, home } = scene
    const own = await connectWebSocket(port)
    const kept = keptClient('http', port)
    await kept.ask()
    const early = net.connect(port, '127.0.0.1')
    await once(early, 'connect')
    // An answer to something later says that a worker has accepted it.
    for (let later = 0; later < 4; later += 1) await get(scene.target)

    await scene.deploy('2')
    const hold = makeHold(home)
    const { body, reply } = kept.begin(hold.path)
    body.end()
    await hold.asked()
    const forwarded = await connectWebSocket(port, early)
    expect([own.release, forwarded.release]).toEqual(['1', '2'])

    await untilStep(scene, 'endingOld')
    await Promise.all([own.echo('still here'), forwarded.echo('here too')])
    hold.release()
    expect(await reply).toMatchObject({ status: 200, release: '2', wasKept: true })
    expect([own.closes, forwarded.closes]).toEqual([[], []])
    await untilStep(scene, null)
    const areClosed = () => own.closes.length === 1 && forwarded.closes.length === 1
    await until(areClosed, 5_000, 'both WebSockets are closed')
    expect([own.closes, forwarded.closes]).toEqual([[GOING_AWAY], [GOING_AWAY]])
    expect(home.workers()).toHaveLength(2)
    await load.answers(50)
    mustHaveLostNothing(await load.stop())
    await scene.supervise.stop()
  })

  it('comes back from its drain with the processes that are left, and starts what has gone (R11, B4)', async () => {
    const args = ['--bake', '0', '--rollback-window', '0', '--drain-timeout', '30s']
    // Without WebSockets, which would keep every worker until its deadline.
    const scene = await startReleases({ fixture: 'ws.js', args })
    const { supervise, load, home, port } = scene
    const before = await pidsOf(scene, '1')
    const socket = await connectWebSocket(port)
    const hold = makeHold(home)
    const answers = await holdUp(scene, hold, 2)
    await scene.deploy('2')
    await untilStep(scene, 'endingOld')
    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect(await activeVersion(supervise)).toBe('1')
    expect((await get(scene.target)).headers['x-release']).toBe('1')
    expect(await pidsOf(scene, '1')).toEqual(before)
    hold.release()
    for (const answer of answers) expect(await answer).toMatchObject({ status: 200, headers: { 'x-release': '1' } })
    await socket.echo('still here')
    socket.end()
    await untilStep(scene, null)

    const second = makeHold(home)
    const [one] = await holdUp(scene, second, 1)
    const [held] = await second.asked()
    await scene.deploy('3')
    const isAlone = async () => (await pidsOf(scene, '1')).filter(isAlive).length === 1
    await until(isAlone, STEP_MS, 'one worker has nothing to wait for')
    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect((await get(scene.target)).headers['x-release']).toBe('1')
    const after = await pidsOf(scene, '1')
    expect(after).toHaveLength(2)
    expect(after).toContain(held)
    second.release()
    expect(await one).toMatchObject({ status: 200, headers: { 'x-release': '1' } })
    const { stdout } = await supervise.cli('history', 'web', '--json')
    const { releases }: { releases: { outcome: string | null }[] } = JSON.parse(stdout)
    expect(releases.map(({ outcome }) => outcome)).toEqual(['started', 'rolledBack', 'rolledBack'])
    await load.answers(50)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('leaves pages whose files the new one answers for, with its own 404 where it has them no more (V6)', async () => {
    const lanes = [{ kind: 'keepAlive', connections: 16, path: '/index.html', expect: 'anything' }] as const
    const scene = await startReleases({
      fixture: 'pages.js',
      lanes,
      args: (home) => {
        writePages(join(home.work, 'releases/1'), { 'index.html': 'page 1', 'app.1.js': 'script 1' })
        return []
      },
    })
    const { supervise, load, port } = scene
    const page = keptClient('http', port)
    const looking = Array.from({ length: 6 }, () => keptClient('http', port))
    for (const client of [page, ...looking]) expect((await client.ask('/index.html')).body.toString()).toBe('page 1')
    writePages(scene.release('2'), { 'index.html': 'page 2', 'app.2.js': 'script 2' })
    mustExit(await supervise.cli('deploy', 'web', join(scene.home.work, 'releases/2')), 0)

    // The page's own connections, and new ones as a browser opens them for what it has not asked for yet.
    for (const client of [page, ...looking, keptClient('http', port), keptClient('http', port)]) {
      const replies = [await client.ask('/app.1.js'), await client.ask('/app.2.js'), await client.ask('/index.html')]
      expect(replies.map(({ release }) => release)).toEqual(['2', '2', '2'])
      expect(replies.map(({ status, body }) => [status, body.toString()])).toEqual([
        [404, 'not in this release\n'],
        [200, 'script 2'],
        [200, 'page 2'],
      ])
    }
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('is what `current` was, wherever that points by then (R13)', async () => {
    const args = ['--no-auto-promote', '--bake', '0', '--rollback-window', '0']
    const scene = await startReleases({ fixture: 'hello.js', args, link: true })
    const { supervise, load, home } = scene
    mustHaveLostNothing(await load.stop())
    const directories = async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => get(scene.target, '/who')))
      return new Set(answers.map(({ text }): string => JSON.parse(text).directory))
    }
    const first = join(home.work, 'releases/1')
    const second = scene.release('2')
    const current = join(home.work, 'current')
    switchLink(current, second)
    mustExit(await supervise.cli('deploy', 'web', current), 0)

    // What is started in its place is what it was.
    const [victim = 0, other] = await pidsOf(scene, '1')
    sendIfAlive(victim, 'SIGKILL')
    const isReplaced = async () => {
      const { groups } = await appOf(supervise)
      const workers = groups.blue?.workers ?? []
      return workers.every(({ state, pid }) => state === 'serving' && pid !== victim)
    }
    await until(isReplaced, STEP_MS, 'another worker is in its place')
    expect(await pidsOf(scene, '1')).toContain(other)
    expect(await directories()).toEqual(new Set([first]))
    mustExit(await supervise.cli('promote', 'web'), 0)
    expect(await directories()).toEqual(new Set([second]))
    await untilStep(scene, null)

    // Started anew, and nobody is asked again: this is what was asked for.
    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect(await activeVersion(supervise)).toBe('1')
    expect(await directories()).toEqual(new Set([first]))
    await supervise.stop()
  })
})
