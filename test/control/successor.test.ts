// The supervisor to come as the one before sees it, played by programs that say what a test makes them say.

import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkSuccessor } from '../../src/control/check-successor.ts'
import { Successor, type SuccessorPlan } from '../../src/control/successor.ts'
import { until } from '../support/until.ts'

const LIMIT_MS = 10_000

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'successor-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function plan(node: string, launcher: string, standIn: SuccessorPlan['standIn'] = null): SuccessorPlan {
  const rest = { version: '1.0.0', pid: process.pid, detached: true, isKept: false, isBroughtBack: false }
  const offer = { ...rest, logFormat: 'json' as const, admin: null, listeners: [] }
  return { request: { node, launcher }, instance: 'web', offer, variables: {}, descriptors: [], standIn }
}

/** `code` has `say(text)` to write on the channel. */
function start(code: string, standIn: SuccessorPlan['standIn'] = null): Successor {
  const launcher = join(directory, 'launcher.cjs')
  const say = `const say = (text) => require('node:fs').writeSync(Number(process.env.SUPERVISE_HAND_OVER), text + '\\n')`
  writeFileSync(launcher, `${say}\nconst stay = () => setInterval(() => {}, 1000)\n${code}\n`)
  return new Successor(plan(process.execPath, launcher, standIn))
}

async function heardFrom(code: string, withinMs = LIMIT_MS): Promise<unknown> {
  const successor = start(code)
  const heard = await successor.hear(withinMs)
  await successor.kill()
  return heard
}

const source = (name: string) => JSON.stringify(new URL(`../../src/control/${name}`, import.meta.url).href)

/** Those that are open now, each by what is the same for nothing else. */
function openSockets(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith('socket:') ? [target] : []
    } catch {
      // The descriptor that the list itself was read with.
      return []
    }
  })
}

async function mustBeClosed(before: readonly string[]): Promise<void> {
  const isClosed = () => openSockets().every((socket) => before.includes(socket))
  await until(isClosed, LIMIT_MS, 'what was opened for it is closed')
}

describe('Successor.hear()', () => {
  it('gives what it says, message by message', async () => {
    const successor = start(`say('{"type":"prepared"}'); say('{"type":"taken"}'); stay()`)
    expect(await successor.hear(LIMIT_MS)).toEqual({ type: 'prepared' })
    expect(await successor.hear(LIMIT_MS)).toEqual({ type: 'taken' })
    await successor.kill()
  })

  it.each(['no JSON', 'null', '7', '{"kind":"prepared"}', '{"type":"go"}'])(
    'does not wait on after %s',
    async (line) => {
      const heard = await heardFrom(`say(${JSON.stringify(line)}); stay()`)
      expect(heard).toEqual({ type: 'ended', why: `it said what cannot be read: ${JSON.stringify(line)}` })
    },
  )

  it('gives a failure with a code that nobody here knows, and tells of one without a word', async () => {
    const error = { code: 'OF_TOMORROW', message: 'Cannot do it', fix: '', exitCode: 99, lines: ['why'] }
    expect(await heardFrom(`say(${JSON.stringify(JSON.stringify({ type: 'failed', error }))}); stay()`)).toEqual({
      type: 'failed',
      error,
    })
    const mute = { type: 'ended', why: 'it failed and did not say why' }
    expect(await heardFrom(`say('{"type":"failed"}'); stay()`)).toEqual(mute)
  })

  it('tells of silence, of an exit before a word and of a signal', async () => {
    expect(await heardFrom('stay()', 100)).toEqual({ type: 'ended', why: 'it has said nothing for 0.1 s' })
    expect(await heardFrom('process.exit(9)')).toEqual({ type: 'ended', why: 'it exited with code 9' })
    const killed = await heardFrom(`process.kill(process.pid, 'SIGKILL')`)
    expect(killed).toEqual({ type: 'ended', why: 'it was ended by SIGKILL' })
  })
})

describe('a successor that cannot be started', () => {
  it.each(['ENOENT', 'EACCES'])('says so, and leaves no descriptor open: %s', async (code) => {
    const node = join(directory, 'node')
    if (code === 'EACCES') writeFileSync(node, '')
    if (code === 'EACCES') chmodSync(node, 0o600)
    const before = openSockets()
    const successor = new Successor(plan(node, 'launcher.cjs', 'new'))
    expect(await successor.hear(LIMIT_MS)).toMatchObject({ type: 'ended', why: expect.stringContaining(code) })
    await successor.kill()
    expect(successor.pid).toBe(0)
    await mustBeClosed(before)
    await expect(checkSuccessor({ node, launcher: 'launcher.cjs' }, 'web', 1)).rejects.toMatchObject({
      code: 'UPGRADE_REFUSED',
      message: expect.stringContaining(code),
    })
  })

  it('closes what was for it, also of one that has left a child with its channel behind', async () => {
    const before = openSockets()
    const grandchild = `require('node:child_process').spawn('sleep', ['60'], { stdio: [0, 1, 2, 3, 4] })`
    const successor = start(`say('{"type":"prepared"}'); say(String(${grandchild}.pid)); stay()`, 'new')
    expect(await successor.hear(LIMIT_MS)).toEqual({ type: 'prepared' })
    const said = await successor.hear(LIMIT_MS)
    await successor.kill()
    try {
      await mustBeClosed(before)
    } finally {
      process.kill(Number(/\d+/.exec(JSON.stringify(said))?.[0]), 'SIGKILL')
    }
  })

  it('is refused in words where no descriptor is left', async () => {
    const program = `
      const { Successor } = await import(${source('successor.ts')})
      const { checkSuccessor } = await import(${source('check-successor.ts')})
      const { openSync, closeSync, readdirSync } = await import('node:fs')
      const opened = []
      // What is loaded late has to be loaded by now.
      const plan = ${JSON.stringify(plan(process.execPath, 'nothing.cjs', 'new'))}
      const warm = new Successor(plan)
      await warm.hear(10000)
      await warm.kill()
      try { for (;;) opened.push(openSync('/dev/null')) } catch {}
      const check = await checkSuccessor(plan.request, 'web', 1).catch((error) => error.message)
      const successor = new Successor(plan)
      const heard = await successor.hear(10000)
      await successor.kill()
      for (const fd of opened) closeSync(fd)
      process.stdout.write(JSON.stringify({ check, heard }))`
    // A file, since a successor is started with the options that this process was started with.
    const file = join(directory, 'program.mjs')
    writeFileSync(file, program)
    const words = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, file]
    const child = spawn('sh', words, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [said, complained] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
    const code = await new Promise((resolve) => void child.once('close', resolve))
    expect([
      code,
      complained.split('\n').filter((line) => /Error/.test(line) && !/nothing\.cjs|MODULE_NOT/.test(line)),
    ]).toEqual([0, []])
    expect(JSON.parse(said)).toEqual({
      check: expect.stringMatching(/^Cannot upgrade "web": the new one does not start: .*EMFILE/),
      heard: { type: 'ended', why: expect.stringMatching(/^it cannot be started: .*EMFILE/) },
    })
  })
})
