// The demo of examples/blue-green, as a newcomer runs it: what it shows is true, and nothing is left of it.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { makeHome, TEST_NODE, type Home } from '../support/home.ts'
import { ROOT } from '../support/releases.ts'
import { until } from '../support/until.ts'

interface Demo {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output(): string
}

function startDemo(home: Home, ...args: readonly string[]): Demo {
  const script = join(ROOT, 'examples/blue-green/demo.js')
  const child = spawn(TEST_NODE, [script, ...args], {
    cwd: home.work,
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'close').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
  return { child, ended, output: () => output }
}

async function mustHaveLeftNothing(home: Home): Promise<void> {
  await home.mustBeEmpty()
  expect(readdirSync(join(home.directory, 'tmp'))).toEqual([])
}

it('the example blue-green shows a deploy, a flip, one refused and one taken back, and no request fails', async () => {
  const home = makeHome()
  const demo = startDemo(home, '--quick', 'throws-at-boot', 'crashes')
  expect(await demo.ended, demo.output()).toBe(0)
  const output = demo.output()
  expect(output).toMatch(/^r2 .*promoted/m)
  expect(output).toMatch(/^r3 .*failed .*No such table/m)
  expect(output).toMatch(/^r4 .*rolledBack /m)
  for (const release of [1, 2, 3]) expect(output).toMatch(new RegExp(`^ +release ${release} +[1-9]\\d* answers$`, 'm'))
  expect(output).toMatch(/^ +failed +0$/m)
  await mustHaveLeftNothing(home)
})

it('the example blue-green leaves nothing behind when it is interrupted', async () => {
  const home = makeHome()
  const demo = startDemo(home)
  await until(() => demo.output().includes('deploy web releases/2'), 30_000, 'it deploys')
  demo.child.kill('SIGINT')
  expect(await demo.ended, demo.output()).toBe(130)
  await mustHaveLeftNothing(home)
})
