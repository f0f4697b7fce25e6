// The link where Node lacks what its own transport needs (see ipc-pipe.ts): the same messages over the IPC channel that
// node:cluster has with a worker, marked so that no app sees them. It ends with that channel and cannot be dialled again.

import type { ChildProcess } from 'node:child_process'

import type { Channel } from './channel.ts'
import type { SocketHandle } from './handle.ts'

const MARK = 'supervise.link'

/** `process.send` in a worker, or a child process's `send`. */
export type IpcSend = (
  message: object,
  handle: SocketHandle | undefined,
  options: object,
  done: (error: Error | null) => void,
) => boolean

/** Whether a message of the IPC channel belongs to the link rather than to the app. */
export function isLinkMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && MARK in message
}

export class IpcChannel<In, Out> implements Channel<In, Out> {
  onMessage: (message: In, handle: SocketHandle | undefined) => void = () => {}
  onEnd: () => void = () => {}
  readonly #send: IpcSend
  #open = true

  constructor(send: IpcSend) {
    this.#send = send
  }

  send(message: Out, handle?: SocketHandle): void {
    if (!this.#open) return
    // Without a callback, a broken channel would be an error event that nobody expects.
    const sent = (error: Error | null) => error !== null && this.ended()
    this.#send({ [MARK]: message }, handle, { keepOpen: true, swallowErrors: true }, sent)
  }

  /** Takes a message for which `isLinkMessage` holds. */
  receive(message: object, handle: unknown): void {
    const content: In = Reflect.get(message, MARK)
    if (this.#open) this.onMessage(content, isHandle(handle) ? handle : undefined)
    else if (isHandle(handle)) handle.close()
  }

  ended(): void {
    if (!this.#open) return
    this.#open = false
    this.onEnd()
  }

  /** The IPC channel itself stays: it is node:cluster's. */
  close(): void {
    this.#open = false
  }

  /** Whether the IPC channel keeps a process alive is not the link's to say. */
  ref(): void {}

  unref(): void {}
}

/** The supervisor's end, made right after the fork. */
export function channelToWorker<In, Out>(worker: ChildProcess): Channel<In, Out> {
  // The types of `send` know handles by Node's public classes alone.
  const channel = new IpcChannel<In, Out>((...args) => Reflect.apply(worker.send, worker, args))
  worker.on('message', (message, handle) => {
    if (isLinkMessage(message)) channel.receive(Object(message), handle)
  })
  worker.once('disconnect', () => channel.ended())
  return channel
}

function isHandle(handle: unknown): handle is SocketHandle {
  return typeof handle === 'object' && handle !== null && 'close' in handle
}
