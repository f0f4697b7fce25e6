// Processes that borrow slots, and clients that connect to them.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'

import type { SocketHandle } from '../../src/protocol/handle.ts'

export class BorrowerProcess {
  readonly child: ChildProcess = fork(new URL('borrower.cjs', import.meta.url), { stdio: 'inherit', execArgv: [] })

  get pid(): number {
    return this.child.pid!
  }

  async attach(handle: SocketHandle, backlog = 511): Promise<number> {
    const answer = once(this.child, 'message')
    // Node sends its own listening handles as they are; @types/node does not say so.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.child.send({ type: 'attach', backlog }, handle as unknown as net.Server)
    const [message] = await answer
    return message.errno
  }

  async detach(): Promise<void> {
    const answer = once(this.child, 'message')
    this.child.send({ type: 'detach' })
    await answer
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

export interface Client {
  readonly connected: Promise<void>
  /** Everything the server sent until it closed. */
  readonly answer: Promise<string>
  end(): void
}

export function dial(target: net.NetConnectOpts): Client {
  const socket = net.connect(target)
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve()).once('error', reject)
  })
  const answer = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.once('end', () => resolve(text.trim())).once('error', reject)
  })
  // A test that looks at one of the two does not look at the other.
  connected.catch(() => {})
  answer.catch(() => {})
  return { connected, answer, end: () => socket.destroy() }
}

/** The error's code, or `connected`. */
export async function outcomeOf(target: net.NetConnectOpts): Promise<string> {
  const client = dial(target)
  try {
    await client.connected
    return 'connected'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    client.end()
  }
}
