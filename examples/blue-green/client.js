// Asks again and again, each time on a new connection, and counts what comes back: answers by their text, and all that is
// no answer. It never tries again.

import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const LANES = 4
const BETWEEN_MS = 10
const WITHIN_MS = 10_000

export class Client {
  /** By what was answered: `release 1`. */
  answers = new Map()
  failures = []
  #url
  #isEnding = false
  #lanes

  constructor(url) {
    this.#url = url
    this.#lanes = Array.from({ length: LANES }, () => this.#askOnAndOn())
  }

  count(text) {
    return this.answers.get(text) ?? 0
  }

  /** Waits until so many more answers were this one. */
  async sees(text, more = 20, withinMs = 30_000) {
    const aim = this.count(text) + more
    const end = performance.now() + withinMs
    while (this.count(text) < aim) {
      if (performance.now() > end) throw new Error(`"${text}" was not answered ${more} times within ${withinMs} ms`)
      await pause(20)
    }
  }

  async end() {
    this.#isEnding = true
    await Promise.all(this.#lanes)
  }

  async #askOnAndOn() {
    while (!this.#isEnding) {
      try {
        const { status, text } = await ask(this.#url)
        if (status === 200) this.answers.set(text, this.count(text) + 1)
        else this.failures.push(`${status} from ${text}`)
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : String(error))
      }
      await pause(BETWEEN_MS)
    }
  }
}

function ask(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, timeout: WITHIN_MS }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', reject)
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode, text: text.trim() }))
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${WITHIN_MS} ms`)))
    request.on('error', reject)
  })
}
