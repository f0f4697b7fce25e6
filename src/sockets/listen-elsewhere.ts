// Makes a bound socket listen without accepting on it here. A handle that listens accepts as soon as the loop turns, and Node
// has no way to stop that but to close it; so a process that lives for a moment calls listen(2) on a duplicate.

import { spawn } from 'node:child_process'

import type { SocketHandle } from '../protocol/handle.ts'
import { UV } from './server-handle.ts'

/** The exit code is the errno. `exit` comes before its loop has turned: nothing is ever accepted there. */
const LISTEN =
  'const handle = require("net")._createServerHandle(null, null, null, 3);' +
  'process.exit(typeof handle === "number" ? -handle : -handle.listen(Number(process.argv[1])))'

/** Resolves with 0, or with a negative errno. */
export function listenElsewhere(handle: SocketHandle, backlog: number): Promise<number> {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'ignore', 'ignore', handle.fd] as const
    // No NODE_OPTIONS: they could load anything.
    const child = spawn(process.execPath, ['-e', LISTEN, String(backlog)], { env: {}, stdio: [...stdio] })
    child.once('error', () => resolve(UV.noDescriptors))
    child.once('exit', (code) => resolve(code === null ? UV.invalid : code === 0 ? 0 : -code))
  })
}

/**
 * libuv makes every socket of its own non-blocking, and the flag belongs to the socket, not to the process: programs expect
 * what systemd gives them, where `accept` waits.
 */
export function makeBlocking(handle: SocketHandle | undefined): void {
  if (handle !== undefined && 'setBlocking' in handle && typeof handle.setBlocking === 'function') {
    // On every libuv stream, though not in the part of its type that travels over the link.
    handle.setBlocking(true)
  }
}
