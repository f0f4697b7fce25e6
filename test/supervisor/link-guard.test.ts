import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { AGENT_ENV, PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import type { Hello } from '../../src/supervisor/link-desk.ts'
import { LinkGuard } from '../../src/supervisor/link-guard.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { until } from '../support/until.ts'

it('LinkGuard refuses a process that says it is a worker and was not forked as it, and tells it once (C11)', async () => {
  const env = { ...process.env, [AGENT_ENV.settings]: JSON.stringify({ incarnation: 'aaaaaaaa' }) }
  const child = spawn('sleep', ['60'], { env, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  // Until then it has the environment of this process.
  await until(() => readFileSync(`/proc/${child.pid}/comm`, 'latin1') === 'sleep\n', 5_000, 'it sleeps')

  const events = new EventLog({ logger: { debug() {}, info() {}, warn() {}, error() {} } })
  const guard = new LinkGuard(events)
  const settings = { app: 'web', worker: 1, incarnation: 'aaaaaaaa' }
  const helloOf = (pid: number) =>
    // What else it says is not looked at.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    ({ type: 'hello', protocol: PROTOCOL_VERSION, pid, settings }) as unknown as Hello
  expect(guard.admits(helloOf(child.pid ?? 0))).toBe(true)
  expect(guard.admits(helloOf(process.pid))).toBe(false)
  expect(guard.admits(helloOf(process.pid))).toBe(false)
  expect(events.feed(null, 10).recent.map(({ type, text }) => [type, text])).toEqual([
    ['strangerRefused', `process ${process.pid} says that it is worker 1 of "web" and is not: refused`],
  ])
})
