// What the end-to-end tests lean on, without a supervisor.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { Home, makeHome } from './home.ts'
import { childrenOf, countDescriptors, isAlive, pss, rss, stateOf, threads, zombiesOf } from './processes.ts'
import { Hopeless, until } from './until.ts'

describe('until()', () => {
  it('answers the fact as soon as it is there', async () => {
    let looks = 0
    expect(await until(() => ++looks > 3 && `look ${looks}`, 1_000, 'the fourth look')).toBe('look 4')
  })

  it('says what did not come, and what the last look threw', async () => {
    const never = until(() => Promise.reject(new Error('not there')), 60, 'a miracle')
    await expect(never).rejects.toThrow('Not within 60 ms: a miracle. Last look: Error: not there')
  })

  it('ends at once when it is hopeless', async () => {
    const never = until(() => Promise.reject(new Hopeless('it is gone')), 10_000, 'a miracle')
    await expect(never).rejects.toThrow('it is gone')
  })
})

describe('freePort()', () => {
  it('finds ports in a row that can be listened on, below the range of outgoing connections', async () => {
    const port = await freePort(2)
    expect(port).toBeLessThan(32_768)
    for (const each of [port, port + 1]) {
      const server = net.createServer().listen(each)
      onTestFinished(() => void server.close())
    }
  })
})

describe('processes', () => {
  it('tells what a process uses, and that it is no more', async () => {
    expect(rss(process.pid)).toBeGreaterThan(20 << 20)
    expect(pss(process.pid)).toBeLessThanOrEqual(rss(process.pid) * 1.1)
    expect(threads(process.pid)).toBeGreaterThan(1)
    const before = countDescriptors(process.pid)
    const server = net.createServer().listen(0)
    await once(server, 'listening')
    expect(countDescriptors(process.pid)).toBe(before + 1)
    server.close()
  })

  it('zombiesOf() finds a child that nobody waited for', async () => {
    // The parent stops itself before it can wait for the child.
    const script = 'sleep 0.1 & echo $!; kill -STOP $$; wait'
    const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void shell.kill('SIGKILL'))
    const child = Number(String(await once(shell.stdout, 'data').then(([chunk]) => chunk)))
    await until(() => stateOf(child) === 'Z', 2_000, 'the child is a zombie')
    expect(isAlive(child)).toBe(false)
    expect(zombiesOf(shell.pid ?? 0)).toEqual([child])
    expect(childrenOf(process.pid)).toContain(shell.pid)
  })
})

describe('Home', () => {
  it('finds the processes that were started in it, theirs too, and ends them', async () => {
    const home = new Home()
    const shell = spawn('sh', ['-c', 'sleep 60 & sleep 60 & wait'], { env: home.env, stdio: 'ignore', detached: true })
    await until(() => home.processes().length === 3, 2_000, 'a shell and two children')
    await home.remove()
    expect(home.processes()).toEqual([])
    expect(isAlive(shell.pid ?? 0)).toBe(false)
  })

  it('has a directory short enough for Unix sockets, and another for each test', () => {
    const [one, other] = [makeHome(), makeHome()]
    expect(one.runtime.length).toBeLessThan(20)
    expect(one.directory).not.toBe(other.directory)
  })
})
