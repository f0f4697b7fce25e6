// The control API as any client has it, over connections that stay open: what is timed is the supervisor, and no command's start.

import http from 'node:http'
import { createInterface } from 'node:readline'
import type { EventRecord, OperationResult } from '../../src/control/messages.ts'
import { monotonicMs } from './monotonic.ts'

const LIMIT_MS = 20_000

export interface SeenEvent extends EventRecord {
  /** On the monotonic clock. */
  readonly seenAt: number
}

export class Control {
  readonly #socketPath: string
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  readonly #waiting = new Map<string, (event: SeenEvent) => void>()
  #following: http.ClientRequest | null = null

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** Throws unless the operation went well. */
  async act(app: string, verb: string): Promise<OperationResult> {
    const response = await this.#request('POST', `/v1/apps/${app}/${verb}`, this.#agent)
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    const result: OperationResult = JSON.parse(text)
    if (!result.ok) throw new Error(`Cannot ${verb} by the control API: ${text.slice(0, 500)}`)
    return result
  }

  async followEvents(): Promise<void> {
    const response = await this.#request('GET', '/v1/events?lines=0&follow=true', new http.Agent())
    const lines = createInterface(response)
    // It passes on that the connection has ended.
    lines.on('error', () => {})
    lines.on('line', (line) => {
      const seenAt = monotonicMs()
      const event: EventRecord = JSON.parse(line)
      const heard = this.#waiting.get(event.type)
      this.#waiting.delete(event.type)
      heard?.({ ...event, seenAt })
    })
  }

  /** The next one of its type that comes after this call. */
  nextEvent(type: string): Promise<SeenEvent> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`No event "${type}" within ${LIMIT_MS} ms`)), LIMIT_MS)
      this.#waiting.set(type, (event) => {
        clearTimeout(timer)
        resolve(event)
      })
    })
  }

  close(): void {
    this.#following?.destroy()
    this.#agent.destroy()
  }

  #request(method: 'GET' | 'POST', path: string, agent: http.Agent): Promise<http.IncomingMessage> {
    const accept = method === 'GET' ? 'application/x-ndjson' : 'application/json'
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.#socketPath, path, method, agent, headers: { accept } })
      if (method === 'GET') this.#following = request
      request.on('response', resolve).on('error', reject)
      request.end()
    })
  }
}
