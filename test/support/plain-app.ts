// A fixture under plain `node`, to compare with: what supervise runs must behave as this does.

import { spawn, type ChildProcess } from 'node:child_process'
import net from 'node:net'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { TEST_NODE } from './home.ts'
import type { Target } from './load/options.ts'
import { fixture } from './releases.ts'
import { until } from './until.ts'

export interface PlainApp {
  readonly target: Target
  readonly child: ChildProcess
}

/** Runs until the test ends; resolves once it accepts connections. */
export async function startPlain(script: string, env: Readonly<Record<string, string>> = {}): Promise<PlainApp> {
  const port = await freePort(2)
  const target = env['SOCKET'] === undefined ? { host: '127.0.0.1', port } : { path: env['SOCKET'] }
  const child = spawn(TEST_NODE, [fixture(script)], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until(() => canConnect(target), 10_000, `${script} accepts connections`).catch((error: unknown) => {
    throw new Error(`${script} does not accept connections:\n${said}`, { cause: error })
  })
  return { target, child }
}

export function canConnect(target: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(target, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
