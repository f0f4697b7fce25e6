import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { findInstances, PING_MS } from '../../src/control/find-instances.ts'
import { openInstanceDirectory } from '../../src/control/instance-directory.ts'
import { serve, until, type Running } from './scripted-supervisor.ts'

let running: Running
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await running.stop()
})

function startTimeOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

test('findInstances() tells who answers, who does not, and what the dead left running', async () => {
  running = await serve()
  const { environment } = running
  const silent = openInstanceDirectory('silent', environment)
  const server = createServer(() => {}).listen(silent.controlSocket)

  const child = spawn('sleep', ['60'])
  children.push(child)
  const pid = child.pid ?? 0
  const dead = openInstanceDirectory('dead', environment)
  const workers = [
    { pid, startTime: startTimeOf(pid) },
    { pid, startTime: Number(startTimeOf(pid)) },
    // The pid of another process, which was given it later.
    { pid: process.pid, startTime: '1' },
    { pid: 4_194_305, startTime: '1' },
    { pid: 'x' },
    null,
  ]
  writeFileSync(dead.stateFile, JSON.stringify({ workers }))
  writeFileSync(openInstanceDirectory('broken', environment).stateFile, '{"workers": [')
  writeFileSync(openInstanceDirectory('odd', environment).stateFile, 'null')
  openInstanceDirectory('empty', environment)

  const startedAt = performance.now()
  const found = await findInstances(environment)
  expect(performance.now() - startedAt).toBeLessThan(2 * PING_MS)
  expect(found).toEqual([
    { name: 'broken', directory: expect.anything(), alive: false, workers: 0, pids: [] },
    { name: 'dead', directory: expect.anything(), alive: false, workers: 2, pids: [pid, pid] },
    { name: 'empty', directory: expect.anything(), alive: false, workers: 0, pids: [] },
    { name: 'odd', directory: expect.anything(), alive: false, workers: 0, pids: [] },
    { name: 'silent', directory: expect.anything(), alive: true, pong: null },
    { name: 'test', directory: expect.anything(), alive: true, pong: expect.objectContaining({ pid: process.pid }) },
  ])
  server.close()
})

test('findInstances() does not count a zombie', async () => {
  running = await serve()
  // Killed once `sh` has become `sleep`, so that nobody reaps it.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(parent)
  let pid = 0
  parent.stdout.setEncoding('utf8').on('data', (text: string) => (pid = Number(text)))
  await until('sh is sleep', () => pid > 0 && readFileSync(`/proc/${parent.pid}/comm`, 'latin1') === 'sleep\n')
  process.kill(pid, 'SIGKILL')
  await until('it is a zombie', () => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '))
  const dead = openInstanceDirectory('dead', running.environment)
  writeFileSync(dead.stateFile, JSON.stringify({ workers: [{ pid, startTime: startTimeOf(pid) }] }))
  expect((await findInstances(running.environment))[0]).toMatchObject({
    name: 'dead',
    alive: false,
    workers: 0,
    pids: [],
  })
})

test('findInstances() finds none where there is no directory', async () => {
  running = await serve()
  expect(await findInstances({ SUPERVISE_RUNTIME_DIR: '/nonexistent' })).toEqual([])
})
