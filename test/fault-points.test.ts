// The points at which a test program may hold the supervisor: what `reached` does in one process.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { until } from './support/until.ts'

const MODULE = new URL('../src/fault-points.ts', import.meta.url).href

/** Reaches two points, the first of them twice, and says so after each. */
const PROGRAM = `
  const { reached } = await import(${JSON.stringify(MODULE)})
  for (const point of ['worker.ready', 'worker.ready', 'flip.told']) {
    reached(point, 7)
    process.stdout.write(point + ';')
  }`

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'faults-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  execFileSync('mkfifo', [join(directory, 'go')])
  return directory
}

function start(directory?: string) {
  const { SUPERVISE_TEST_FAULTS: _, ...env } = process.env
  const named = directory === undefined ? {} : { SUPERVISE_TEST_FAULTS: directory }
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { env: { ...env, ...named } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return { child, said: () => said, ended: new Promise((resolve) => void child.once('close', resolve)) }
}

it('reached() does nothing without the variable', async () => {
  const { said, ended } = start()
  expect(await ended).toBe(0)
  expect(said()).toBe('worker.ready;worker.ready;flip.told;')
})

it('reached() holds the process at the point that is armed, once, and notes every point', async () => {
  const directory = makeDirectory()
  writeFileSync(join(directory, 'armed'), 'worker.ready 2')
  const { child, said, ended } = start(directory)
  const held = join(directory, 'held')
  await until(() => existsSync(held), 10_000, 'it is held')
  expect(JSON.parse(readFileSync(held, 'utf8'))).toEqual({ point: 'worker.ready', pid: child.pid, worker: 7 })
  expect(said()).toBe('worker.ready;')
  expect(existsSync(join(directory, 'armed'))).toBe(false)
  writeFileSync(join(directory, 'go'), '')
  expect(await ended).toBe(0)
  expect(said()).toBe('worker.ready;worker.ready;flip.told;')
  expect(readFileSync(join(directory, 'trace'), 'utf8')).toBe('worker.ready\nworker.ready\nflip.told\n')
})
