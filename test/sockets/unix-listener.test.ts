/* oxlint-disable no-await-in-loop -- clean-ups run one after the other */
import { existsSync, linkSync, lstatSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { ListenRequest } from '../../src/protocol/messages.ts'
import { adoptListener, bindListener, Listener } from '../../src/sockets/listener.ts'
import { UV } from '../../src/sockets/server-handle.ts'
import { BorrowerProcess, dial, outcomeOf } from './borrowers.ts'

let directory: string
let path: string
const cleanUps: (() => void | Promise<void>)[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'unix-'))
  path = join(directory, 'app.sock')
})
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
  rmSync(directory, { recursive: true })
})

function unix(address: string, flags = 0): ListenRequest {
  return { address, port: -1, addressType: -1, flags, backlog: null }
}

function bind(address = path, flags = 0): Listener {
  const listener = bindListener('key', unix(address, flags), 12)
  if (!(listener instanceof Listener)) throw new Error(`bind failed: ${listener.errno}`)
  cleanUps.push(() => listener.close())
  return listener
}

async function serve(listener: Listener): Promise<BorrowerProcess> {
  const worker = new BorrowerProcess()
  cleanUps.push(() => worker.kill())
  expect(await worker.attach(listener.handle(0)!)).toBe(0)
  return worker
}

/** Binds in a process that ends as said, and leaves what it leaves. */
function bindElsewhere(ending: 'process.exit()' | 'process.kill(process.pid, "SIGKILL")'): void {
  const script = `
    import { bindListener } from ${JSON.stringify(new URL('../../src/sockets/listener.ts', import.meta.url))}
    const request = { address: ${JSON.stringify(path)}, port: -1, addressType: -1, flags: 0, backlog: null }
    const listener = bindListener('key', request, 1)
    listener.handle(0).listen(5)
    ${ending}`
  spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
}

describe('a Unix-socket listener', () => {
  it('is one slot that accepts under the path of the app (A6)', async () => {
    const listener = bind()
    const worker = await serve(listener)
    expect(await dial({ path }).answer).toBe(String(worker.pid))
    expect(listener.note).toBeNull()
    expect(listener.status()).toEqual({ address: null, port: null, path, slots: 1 })
  })

  it('keeps its path when a borrower closes, or the handle that bound it (A6)', async () => {
    const listener = bind()
    const worker = await serve(listener)
    const second = await serve(listener)
    await worker.detach()
    listener.handle(0)!.close()
    expect(await dial({ path }).answer).toBe(String(second.pid))
  })

  it('keeps its path when the process that bound it exits or dies (A6)', () => {
    for (const ending of ['process.exit()', 'process.kill(process.pid, "SIGKILL")'] as const) {
      bindElsewhere(ending)
      expect(lstatSync(path).isSocket()).toBe(true)
      expect(readdirSync(directory).toSorted()).toEqual(['.app.sock.bound', 'app.sock'])
      bind().close()
    }
  })

  it('restore() puts back a path that an app deleted before its own listen()', async () => {
    const listener = bind()
    const worker = await serve(listener)
    expect(listener.restore()).toBe(false)
    unlinkSync(path)
    expect(listener.restore()).toBe(true)
    expect(await dial({ path }).answer).toBe(String(worker.pid))
  })

  it('restore() leaves alone what has taken the place of the path', () => {
    const listener = bind()
    unlinkSync(path)
    writeFileSync(path, 'mine')
    expect(listener.restore()).toBe(false)
    listener.close()
    expect(readdirSync(directory)).toEqual(['app.sock'])
  })

  it('lets everybody write when the app asked for writableAll', () => {
    bind(path, 3)
    expect(lstatSync(path).mode & 0o666).toBe(0o666)
  })

  it('close() removes the names', () => {
    bind().close()
    expect(readdirSync(directory)).toEqual([])
  })

  it('takes over what a dead process of ours left, and nothing else', async () => {
    bindElsewhere('process.kill(process.pid, "SIGKILL")')
    const worker = await serve(bind())
    expect(await dial({ path }).answer).toBe(String(worker.pid))
  })

  it('says EADDRINUSE for a path that another listener has, even before anybody listens there', async () => {
    const listener = bind()
    expect(bindListener('other', unix(path), 1)).toEqual({ errno: UV.inUse })
    unlinkSync(path)
    expect(bindListener('other', unix(path), 1)).toEqual({ errno: UV.inUse })
    listener.restore()
    await serve(listener)
    expect(bindListener('other', unix(path), 1)).toEqual({ errno: UV.inUse })
  })

  it('says EADDRINUSE for the socket of a stranger, dead or alive, and for a file, and deletes neither', async () => {
    const server = net.createServer().listen(path)
    await once(server, 'listening')
    expect(bindListener('key', unix(path), 1)).toEqual({ errno: UV.inUse })
    linkSync(path, join(directory, 'kept'))
    server.close()
    await once(server, 'close')
    linkSync(join(directory, 'kept'), path)
    expect(await outcomeOf({ path })).toBe('ECONNREFUSED')
    expect(bindListener('key', unix(path), 1)).toEqual({ errno: UV.inUse })
    unlinkSync(path)
    writeFileSync(path, 'precious')
    expect(bindListener('key', unix(path), 1)).toEqual({ errno: UV.inUse })
    expect(existsSync(path)).toBe(true)
  })

  it('says what plain node says of a directory that is not there, and of a path that is too long', () => {
    expect(bindListener('key', unix(join(directory, 'no', 'app.sock')), 1)).toEqual({ errno: UV.notPermitted })
    expect(bindListener('key', unix(join(directory, 'x'.repeat(108))), 1)).toEqual({ errno: UV.invalid })
  })

  it('binds a path as long as the system allows', async () => {
    const long = join(directory, 'x'.repeat(106 - directory.length))
    const worker = await serve(bind(long))
    expect(await dial({ path: long }).answer).toBe(String(worker.pid))
  })

  it('binds an abstract name, which leaves nothing in the file system', async () => {
    const name = `\0${path}`
    const listener = bind(name)
    const worker = await serve(listener)
    expect(await dial({ path: name }).answer).toBe(String(worker.pid))
    expect(bindListener('other', unix(name), 1)).toEqual({ errno: UV.inUse })
    expect(listener.restore()).toBe(false)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('adoptListener() of a Unix socket', () => {
  it('restores and removes the names that its binder left (A6)', async () => {
    const original = bind()
    const worker = await serve(original)
    const adopted = adoptListener('key', unix(path), {})
    adopted.addSlot(0, original.handle(0)!)
    unlinkSync(path)
    expect(adopted.restore()).toBe(true)
    expect(await dial({ path }).answer).toBe(String(worker.pid))
    adopted.close()
    expect(readdirSync(directory)).toEqual([])
  })
})
