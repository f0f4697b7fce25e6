// Requests one after the other on one connection: how long each takes when nothing else is asked.

import net from 'node:net'
import { once } from 'node:events'

const END = 'hello\n'

export class Asker {
  readonly #socket: net.Socket
  readonly #request: string
  #text = ''
  #answered: () => void = () => {}

  private constructor(socket: net.Socket, request: string) {
    this.#socket = socket
    this.#request = request
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      if (this.#text.endsWith(END)) this.#answered()
    })
  }

  static async connect(port: number, header: string): Promise<Asker> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Asker(socket, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${header}\r\n\r\n`)
  }

  /** In microseconds. Throws unless this release answers. */
  async time(release: string): Promise<number> {
    this.#text = ''
    const answer = new Promise<void>((resolve, reject) => {
      this.#answered = resolve
      this.#socket.once('close', () => reject(new Error('The connection ended without an answer')))
    })
    const began = performance.now()
    this.#socket.write(this.#request)
    await answer
    const took = performance.now() - began
    this.#socket.removeAllListeners('close')
    if (!this.#text.startsWith('HTTP/1.1 200 ') || !this.#text.includes(`\r\nx-release: ${release}\r\n`)) {
      throw new Error(`Release ${release} was to answer, and not:\n${this.#text}`)
    }
    return took * 1_000
  }

  close(): void {
    this.#socket.destroy()
  }
}
