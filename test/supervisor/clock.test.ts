import { readdirSync, readFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { STALL_MS, systemClock } from '../../src/supervisor/clock.ts'

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url))

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe('systemClock', () => {
  it('wakes at the time, and not before', async () => {
    const at = systemClock.now() + 30
    await new Promise<void>((resolve) => systemClock.wakeAt(at, resolve))
    expect(systemClock.now()).toBeGreaterThanOrEqual(at)
  })

  it('hears what waits in a socket before a wake that is late, as after a SIGSTOP', async () => {
    const order: string[] = []
    const server = createServer((socket) => socket.on('data', () => order.push('heard')))
    const address = await new Promise<{ port: number }>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(server.address() as { port: number }))
    })
    const client = connect(address.port, '127.0.0.1')
    await new Promise((resolve) => server.once('connection', resolve))
    const woken = new Promise<void>((resolve) => {
      systemClock.wakeAt(systemClock.now() + 10, () => {
        order.push('woken')
        resolve()
      })
    })
    await new Promise((resolve) => client.write('ready', resolve))
    block(STALL_MS + 50)
    await woken
    client.destroy()
    server.close()
    expect(order).toEqual(['heard', 'woken'])
  })

  it('waits a month with few timers, each of a length that Node takes', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const cancel = systemClock.wakeAt(systemClock.now() + 30 * 86_400_000, () => {})
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    const lengths = timers.mock.calls.map(([, ms]) => ms)
    cancel()
    timers.mockRestore()
    expect(lengths).toEqual([2 ** 31 - 1])
  })

  it('can be cancelled, also while a late wake waits for the sockets', async () => {
    let isWoken = false
    const cancel = systemClock.wakeAt(systemClock.now() + 1, () => (isWoken = true))
    setTimeout(cancel, 2)
    block(STALL_MS + 50)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(isWoken).toBe(false)
  })
})

describe('time in what decides and acts', () => {
  it.each(['core', 'supervisor', 'agent'])(
    'is monotonic in src/%s: a wall clock that jumps decides nothing (S17)',
    (room) => {
      const files = readdirSync(join(SOURCE, room), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.ts'),
      )
      expect(files.length).toBeGreaterThan(3)
      for (const name of files) {
        // What is shown to people may say what a clock on the wall says.
        const text = readFileSync(join(SOURCE, room, name), 'utf8').replaceAll(
          /new Date\(\)\.toISOString\(\)|at: new Date\(\)|#startedAt = new Date\(\)|new Date\((?:started|ended)At\)/g,
          '',
        )
        expect(text, name).not.toMatch(/\bDate\b/)
      }
    },
  )
})
