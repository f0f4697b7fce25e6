// The preview: an address of its own that reaches only the release without public traffic. Bytes go to one of that group's
// private endpoints and back; TLS apps are spoken to in plain text here, since the endpoint is behind their TLS.

import { connect, createServer, type Server, type Socket } from 'node:net'
import { lstatSync, rmSync } from 'node:fs'
import type { PreviewAddress } from '../config/app-config.ts'
import type { PreviewStatus } from '../control/release-messages.ts'
import { nothingToPreview } from '../errors/release.ts'
import type { App } from './app.ts'

export class Preview {
  readonly #endpoints: () => readonly string[]
  readonly #complain: (problem: string) => void
  #server: Server | null = null
  #address = ''
  #next = 0
  readonly #sockets = new Set<Socket>()

  /** `endpoints` are asked for each connection: none closes it at once. */
  constructor(endpoints: () => readonly string[], complain: (problem: string) => void) {
    this.#endpoints = endpoints
    this.#complain = complain
  }

  /** Where it listens, as a URL; null when it does not. */
  get url(): string | null {
    return this.#server?.listening === true ? this.#address : null
  }

  /** Opens it where the configuration says, or closes it; cheap when nothing has changed. */
  async follow(wanted: PreviewAddress | null): Promise<void> {
    const address = wanted === null ? '' : urlOf(wanted)
    if (address === this.#address) return
    this.close()
    this.#address = address
    if (wanted === null) return
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#pass(socket))
    this.#server = server
    server.unref()
    const complain = (error: Error): void => this.#complain(`cannot open the preview at ${address}: ${error.message}`)
    const problem = await this.#listen(server, wanted).catch((error: Error) => error)
    if (problem !== null && this.#server === server) complain(problem)
    server.on('error', complain)
  }

  /** Resolves with why it does not listen. */
  async #listen(server: Server, address: PreviewAddress): Promise<Error | null> {
    const problem = await listen(server, address)
    if (problem?.code !== 'EADDRINUSE' || !('path' in address)) return problem
    // What a killed supervisor left is in nobody's way; anything else is somebody's.
    if (!(await isDeadSocket(address.path)) || this.#server !== server) return problem
    rmSync(address.path, { force: true })
    return listen(server, address)
  }

  close(): void {
    this.#server?.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#server = null
    this.#address = ''
  }

  #pass(client: Socket): void {
    const endpoints = this.#endpoints()
    const endpoint = endpoints[this.#next++ % Math.max(endpoints.length, 1)]
    if (endpoint === undefined) return void client.destroy()
    const worker = connect({ path: endpoint, allowHalfOpen: true })
    for (const [one, other] of [
      [client, worker],
      [worker, client],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }
}

function listen(server: Server, address: PreviewAddress): Promise<NodeJS.ErrnoException | null> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | null>()
  const onListening = (): void => resolve(null)
  server.on('error', resolve).on('listening', onListening)
  server.listen('path' in address ? { path: address.path, exclusive: true } : { ...address, exclusive: true })
  return promise.finally(() => server.off('error', resolve).off('listening', onListening))
}

/** A socket's name that nobody answers at: whoever bound it is gone. */
function isDeadSocket(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect({ path })
    const settle = (isDead: boolean): void => {
      socket.destroy()
      resolve(isDead)
    }
    socket.on('connect', () => settle(false))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => settle(code === 'ECONNREFUSED'))
  })
}

function urlOf(address: PreviewAddress): string {
  if ('path' in address) return `unix:${address.path}`
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** Of the workers that are up and have no public traffic. */
export function standbyEndpoints({ standbyGroup }: Pick<App, 'standbyGroup'>): readonly string[] {
  const workers = [...(standbyGroup?.processes() ?? [])]
  return workers.flatMap(({ endpoint, isUp }) => (endpoint === null || !isUp ? [] : [endpoint]))
}

export function previewStatus(app: App): PreviewStatus {
  const { standbyGroup: group, name, activeGroup } = app
  if (group === null) throw nothingToPreview(name, activeGroup.generation.release.id)
  const { id: release, version } = group.generation.release
  return { app: name, release, version, group: group.name, url: app.preview.url, endpoints: standbyEndpoints(app) }
}
