// What an app has from node:cluster's IPC channel (`process.send`, `message`, `disconnect`), kept whole when the channel
// breaks: a supervisor that died must not take its workers with it, and the next one is reached over the link.

import cluster, { type Worker } from 'node:cluster'

import type { IpcSend } from '../protocol/ipc-channel.ts'

export interface AppChannelOptions {
  /** Sends what `process.send` was given when node:cluster's channel is gone. Throws what `JSON.stringify` throws. */
  readonly overLink: (body: unknown) => void
  /** Another number for each connection of the link; 0 while there is none. */
  readonly linkGeneration: () => number
  /** Closes the app's gated servers. */
  readonly closeServers: (done: () => void) => void
  /** Takes a message that is not for the app; returns whether it was one. */
  readonly intercept: (message: unknown, handle: unknown) => boolean
  readonly channelEnded: () => void
}

/** A dying supervisor's channel and link end at nearly the same moment; in which order is chance. */
const DEATH_SHOWS_WITHIN_MS = 100

/** What Node's own `send` takes. */
const SENDABLE: ReadonlySet<string> = new Set(['string', 'object', 'number', 'boolean'])

/** Some of what is replaced here has many overloads, and some no type at all. */
const untyped: object = process

type SendCallback = (error: Error | null) => void

export class AppChannel {
  /** `process.send` as Node made it. */
  readonly originalSend: IpcSend | undefined = Reflect.get(untyped, 'send')
  readonly #options: AppChannelOptions
  #saidReady = false
  #disconnects = false
  #emit: (event: string, ...args: unknown[]) => boolean = () => false

  constructor(options: AppChannelOptions) {
    this.#options = options
  }

  /** The app said `process.send('ready')`. */
  get saidReady(): boolean {
    return this.#saidReady
  }

  install(): void {
    this.#replaceEmit()
    this.#replaceSend()
    this.#replaceDisconnect()
    if (cluster.worker) surviveBrokenChannel(cluster.worker)
    releaseChannel()
  }

  /** Gives the app a message of the supervisor, as node:cluster's channel would. */
  deliver(body: unknown): void {
    process.nextTick(() => this.#emit('message', body, undefined))
  }

  #replaceEmit(): void {
    const emit: (...args: unknown[]) => boolean = Reflect.get(untyped, 'emit')
    this.#emit = (...args) => emit.apply(process, args)
    const { intercept } = this.#options
    const onDisconnect = () => this.#disconnected()
    Reflect.set(process, 'emit', function filtered(this: unknown, ...args: unknown[]) {
      if (args[0] === 'disconnect') return onDisconnect()
      if (args[0] === 'message' && intercept(args[1], args[2])) return true
      return emit.apply(this, args)
    })
  }

  /**
   * With the supervisor gone, nothing is emitted: node:cluster would exit, and so might the app, while the next
   * supervisor is on its way, or here already. An app that has disconnected by its own will is told so.
   */
  #disconnected(): boolean {
    this.#options.channelEnded()
    if (!this.#disconnects) return true
    const generation = this.#options.linkGeneration()
    const look = () => {
      if (generation === 0 || this.#options.linkGeneration() !== generation) return
      if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
      this.#emit('disconnect')
    }
    setTimeout(look, DEATH_SHOWS_WITHIN_MS)
    return true
  }

  #replaceSend(): void {
    const original: ((...args: unknown[]) => boolean) | undefined = Reflect.get(untyped, 'send')
    if (original === undefined) return
    Reflect.set(process, 'send', (message: unknown, ...rest: unknown[]) => {
      if (message === 'ready') this.#saidReady = true
      const callback = rest.find((argument): argument is SendCallback => typeof argument === 'function')
      if (!process.connected) return this.#sendOverLink(message, callback)
      const [handle, options] = rest.filter((argument) => typeof argument !== 'function')
      // Without a callback, an error would be emitted on the process and end it.
      return original.call(process, message, handle, options, (error: Error | null) => {
        if (error === null) return callback?.(null)
        try {
          this.#sendOverLink(message, callback)
        } catch {
          // The app changed it meanwhile, and is no longer in its own call.
          callback?.(error)
        }
      })
    })
  }

  /** Throws, as Node's own `send` does, for what is no JSON. */
  #sendOverLink(message: unknown, callback: SendCallback | undefined): boolean {
    if (!SENDABLE.has(typeof message)) throw new TypeError(`Cannot send a message of type ${typeof message}`)
    this.#options.overLink(message)
    if (callback !== undefined) process.nextTick(callback, null)
    return true
  }

  #replaceDisconnect(): void {
    const original: (() => void) | undefined = Reflect.get(process, 'disconnect')
    // A second call would be an error event that nobody expects of a supervisor's death.
    Reflect.set(process, 'disconnect', () => {
      this.#disconnects = true
      if (process.connected) original?.call(process)
    })
    const { worker } = cluster
    if (worker === undefined) return
    const { closeServers } = this.#options
    const disconnect: () => void = Reflect.get(worker, 'disconnect')
    worker.disconnect = () => {
      holdChannel()
      closeServers(() => disconnect.call(worker))
      return worker
    }
    for (const name of ['kill', 'destroy']) {
      const end: (...args: unknown[]) => unknown = Reflect.get(worker, name)
      Reflect.set(worker, name, (...args: unknown[]) => {
        holdChannel()
        return end.apply(worker, args)
      })
    }
  }
}

interface ChannelControl {
  refCounted?(): void
  unrefCounted?(): void
}

function channelControl(): ChannelControl | null | undefined {
  return Reflect.get(untyped, 'channel')
}

/** Until the primary has answered, as node:cluster expects: the answer to a worker that has ended is its error. */
function holdChannel(): void {
  channelControl()?.refCounted?.()
}

/** What node:cluster writes by itself to a supervisor that is gone would end a worker that has just been forked. */
function surviveBrokenChannel(worker: Worker): void {
  worker.on('error', (error: NodeJS.ErrnoException) => {
    // Where the app listens too, it is the app's to decide.
    const isAlone = worker.listenerCount('error') === 1
    if (isAlone && process.connected && error.code !== 'EPIPE') throw error
  })
}

/**
 * Each listener for the channel keeps the process alive, and node:cluster has its own. Without those, an app that has
 * nothing left to do ends, as under plain `node`; the listeners that it adds itself count as ever.
 */
function releaseChannel(): void {
  const channel = channelControl()
  const listeners = process.listenerCount('message') + process.listenerCount('disconnect')
  for (let n = 0; n < listeners; n++) channel?.unrefCounted?.()
}
