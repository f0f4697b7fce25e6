// A descriptor that somebody else opened for us blocks whoever writes to it while its queue is full. Node sets that aside
// only for what it takes for a stream, and a datagram socket is none to it: the link's own pipe does not ask.

import { createIpcPipe, type IpcPipe } from '../protocol/ipc-pipe.ts'

/** Kept for the life of the process: what is closed would take the descriptor along. */
const kept: IpcPipe[] = []

/** From now on a write to it fails at once where it would have to wait. Does nothing where this Node lacks the link. */
export function unblock(fd: number): void {
  try {
    const pipe = createIpcPipe(fd)
    pipe.unref()
    kept.push(pipe)
  } catch {
    // It stays as it is.
  }
}
