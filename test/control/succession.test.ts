// The supervisor before, as the new one sees it: the new one's end of the channel is the real one, in a process of its own.

import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { until } from '../support/until.ts'

const LIMIT_MS = 10_000
const MODULE = new URL('../../src/control/succession.ts', import.meta.url).href
const OFFER = JSON.stringify({ type: 'offer', version: '1.0.0', pid: 1, listeners: [], standIn: 4 })
const GO = JSON.stringify({ type: 'go', rests: {}, listeners: [], cause: 'test', begunAt: 1 })

/** Says on stdout how far it came. */
const PROGRAM = `
  const { Succession } = await import(${JSON.stringify(MODULE)})
  const say = (text) => process.stdout.write(text + '\\n')
  let succession = null
  try {
    succession = await Succession.receive()
    say('received')
    const { heardAt, ...go } = await succession.prepared()
    say(JSON.stringify(go) + ' ' + (Math.abs(heardAt - Date.now()) < 60000))
    succession.taken()
  } catch (error) {
    succession?.failed(error)
    say(error.code + ' ' + error.message)
    if (succession === null) process.exitCode = 3
    // As a supervisor does that cannot start.
    else process.exit(3)
  }`

function start() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, SUPERVISE_HAND_OVER: '3' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [, stdout, stderr, channel, standIn] = child.stdio as unknown as readonly Duplex[]
  const heard = { out: '', err: '', channel: '' }
  stdout?.on('data', (chunk: Buffer) => (heard.out += chunk.toString()))
  stderr?.on('data', (chunk: Buffer) => (heard.err += chunk.toString()))
  channel?.on('data', (chunk: Buffer) => (heard.channel += chunk.toString())).on('error', () => {})
  standIn?.on('error', () => {})
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve))
  const say = (line: string) => void channel?.write(`${line}\n`)
  return { heard, ended, say, channel, standIn }
}

it('Succession hears the offer and when to go, and says when it has everything, though its stand-in is gone (S7)', async () => {
  const { heard, ended, say, standIn } = start()
  standIn?.destroy()
  say(OFFER)
  await until(() => heard.channel.includes('"prepared"'), LIMIT_MS, 'it is prepared')
  say(GO)
  await until(() => heard.channel.includes('"taken"'), LIMIT_MS, 'it has everything')
  expect(await ended).toBe(0)
  expect([heard.out, heard.err]).toEqual([`received\n${GO} true\n`, ''])
})

it.each([
  ['before the offer', [], 'no JSON'],
  ['instead of go', [OFFER], '{"type":'],
  ['that is another message', [OFFER], '{"type":"taken"}'],
])('Succession refuses a line %s in words (S7)', async (_when, before, line) => {
  const { heard, ended, say } = start()
  for (const each of before) say(each)
  say(line)
  expect(await ended).toBe(3)
  const why = `the supervisor before this one said what cannot be read: ${JSON.stringify(line)}`
  expect([heard.out, heard.err]).toEqual([expect.stringContaining(`UPGRADE_REFUSED Cannot upgrade "this": ${why}`), ''])
  if (before.length > 0) expect(heard.channel).toContain('"failed"')
})

it('Succession ends with the supervisor before it, as long as it has not everything (S7)', async () => {
  const { heard, ended, say, channel } = start()
  say(OFFER)
  await until(() => heard.channel.includes('"prepared"'), LIMIT_MS, 'it is prepared')
  channel?.destroy()
  expect(await ended).toBe(1)
  expect(heard.out).toBe('received\n')
})
