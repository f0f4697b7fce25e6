// What is told arrives, in order, in datagrams that say one thing each. Python receives them: Node has no such sockets.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Notifier } from '../../src/systemd/notifier.ts'

const canReceive = spawnSync('python3', ['--version']).status === 0
const canHelp = spawnSync('systemd-notify', ['--version']).status === 0

let directory: string
const problems: string[] = []
const options = { complain: (problem: string) => void problems.push(problem) }

beforeEach(() => {
  problems.length = 0
  directory = mkdtempSync(join(tmpdir(), 'notify-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A manager: prints each datagram as one JSON line, and closes the descriptors that come with it. */
const RECEIVER = `
import array, json, os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    text, ancillary, *_ = manager.recvmsg(65536, 4096)
    for level, kind, data in ancillary:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array("i", data): os.close(fd)
    print(json.dumps(text.decode()), flush=True)
`

/** What it gets of `act`, until STOPPING. */
async function receive(socket: string, act: () => Promise<void>) {
  const child = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const datagrams: string[] = []
  let rest = ''
  const done = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) datagrams.push(JSON.parse(line))
      if (datagrams.includes('STOPPING=1')) resolve()
    })
  })
  await once(child.stdout, 'data')
  await act()
  await done
  child.kill('SIGKILL')
  return datagrams.filter((text) => text !== 'bound' && !text.startsWith('BARRIER'))
}

describe.skipIf(!canReceive || !canHelp)('Notifier through systemd-notify', () => {
  it('sends each thing in a datagram of its own and in order, the latest of what is out of date', async () => {
    const socket = join(directory, 'manager')
    const datagrams = await receive(socket, async () => {
      const notifier = new Notifier({ socket }, options)
      void notifier.tell('READY=1', 'STATUS=serves')
      void notifier.tell('STATUS=old')
      void notifier.tell('STATUS=new')
      void notifier.tell('RELOADING=1', 'MONOTONIC_USEC=7')
      await notifier.tell('STOPPING=1')
    })
    expect(datagrams).toEqual(['READY=1\nSTATUS=serves', 'STATUS=new', 'RELOADING=1\nMONOTONIC_USEC=7', 'STOPPING=1'])
    expect(problems).toEqual([])
  })

  it('reaches a manager by an abstract name', async () => {
    const socket = `@supervise-test-${process.pid}`
    const datagrams = await receive(socket, () => new Notifier({ socket }, options).tell('STOPPING=1'))
    expect(datagrams).toEqual(['STOPPING=1'])
    expect(problems).toEqual([])
  })

  it('gives up on a manager that does not read, and is not as patient with it again', async () => {
    const socket = join(directory, 'manager')
    const child = spawn('python3', ['-c', `${RECEIVER.split('while')[0]}\nsys.stdin.read()`, socket], { stdio: 'pipe' })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    const notifier = new Notifier({ socket }, { ...options, patienceMs: 1_200 })
    const began = performance.now()
    for (const word of ['READY=1', 'STATUS=serves', 'RELOADING=1', 'STOPPING=1']) void notifier.tell(word)
    await notifier.tell('STOPPING=1')
    expect(performance.now() - began).toBeGreaterThan(1_200)
    expect(problems).toEqual([expect.stringContaining(`nobody read ${socket} within 1.2 s`)])
  })

  it('gives up on a manager that is not there, says so once, and goes on', async () => {
    const notifier = new Notifier({ socket: join(directory, 'nobody') }, options)
    await notifier.tell('READY=1')
    await notifier.tell('STATUS=serves')
    expect(problems).toEqual([expect.stringContaining('systemd-notify ended with code 1')])
  })
})

it('Notifier says what is missing where there is no systemd-notify', async () => {
  const notifier = new Notifier({ socket: join(directory, 'nobody') }, { ...options, helper: join(directory, 'none') })
  await notifier.tell('READY=1')
  expect(problems).toEqual([expect.stringContaining('cannot be run')])
})

describe.skipIf(!canReceive)('Notifier through a descriptor that the unit opened', () => {
  it('writes a datagram each', async () => {
    const socket = join(directory, 'manager')
    const source = new URL('../../src/systemd/notifier.ts', import.meta.url).href
    const code = `
      import { openNotifier } from ${JSON.stringify(source)}
      const notifier = openNotifier({ socket: null, watchdogMs: null }, [{ fd: 3, name: '.notify' }], { complain: console.error })
      await notifier.tell('READY=1', 'STATUS=serves')
      await notifier.tell('STOPPING=1')`
    const connect = `
import os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(sys.argv[1])
os.dup2(manager.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[2], [sys.argv[2], "--input-type=module", "-e", sys.argv[3]])`
    const datagrams = await receive(socket, async () => {
      const child = spawn('python3', ['-c', connect, socket, process.execPath, code], { stdio: 'inherit' })
      await once(child, 'exit')
    })
    expect(datagrams).toEqual(['READY=1\nSTATUS=serves', 'STOPPING=1'])
  })
})

const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)

describe.skipIf(!canReceive)('ServiceManager with a descriptor whose queue is full', () => {
  /** Fills it before Node begins. */
  const FILL = `
import os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
mine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
mine.connect(sys.argv[1])
mine.setblocking(False)
try:
    while True: mine.send(b"X=1")
except BlockingIOError: pass
mine.setblocking(True)
os.dup2(manager.fileno(), 20)
os.dup2(mine.fileno(), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=".notify")
os.execv(sys.argv[2], [sys.argv[2], "--input-type=module", "-e", sys.argv[3]])`

  it('goes on, says so once, and ends', async () => {
    const code = `
      import { EventLog } from ${source('telemetry/events.ts')}
      import { ServiceManager } from ${source('supervisor/service-manager.ts')}
      const quiet = () => {}
      const events = new EventLog({ logger: { debug: quiet, info: quiet, warn: quiet, error: quiet } })
      const told = []
      events.feed(null, 0).follow(({ type }) => told.push(type))
      const manager = new ServiceManager(events)
      manager.follow({ eventLog: events, isEnding: false, apps: [] })
      manager.ready()
      let turns = 0
      const timer = setInterval(() => (turns += 1), 10)
      await manager.close()
      clearInterval(timer)
      console.log(JSON.stringify({ told, turned: turns > 20 }))`
    const words = ['-c', FILL, join(directory, 'manager'), process.execPath, code]
    const child = spawn('python3', words, {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [exitCode] = await once(child, 'close')
    expect(exitCode).toBe(0)
    expect(JSON.parse(said)).toEqual({ told: ['managerSilent'], turned: true })
  })
})
