// Parsers of the two options that a program has which is not Node: its command line, and its addresses.

import { resolve } from 'node:path'
import type { ListenAddress } from './app-config.ts'
import { accept, quote, refuse, refuseValue } from './parser.ts'
import type { Parsed, Parser, Refusal } from './parser.ts'
import { words } from './parsers.ts'

/** A program with a slash in its name is a path; any other is looked for in PATH when the environment is known. */
export const commandWords: Parser<readonly string[]> = {
  ...words,
  parse(input, directory) {
    const parsed = words.parse(input, directory)
    if (!parsed.ok) return parsed
    const [program = '', ...args] = parsed.value
    if (program === '') return refuseValue(input, 'a program and its arguments, such as ["./server", "--flag"]')
    if (parsed.value.some((word) => word.includes('\0'))) return refuse('a word has a zero byte; leave it out')
    return accept([program.includes('/') ? resolve(directory, program) : program, ...args])
  },
}

/** The program of a command as it was written, for its name; null for what is no command. */
export function firstWordOf(command: unknown): string | null {
  const parsed = words.parse(command, '')
  return parsed.ok ? (parsed.value[0] ?? null) : null
}

const ALLOWED = 'a port, "host:port", or the path of a Unix socket such as "/run/app.sock"'
const EVERYWHERE = '0.0.0.0'
/** What a Unix socket's path may have, on every system. */
const SOCKET_PATH_BYTES = 103

export const listenAddresses: Parser<readonly ListenAddress[]> = {
  json: {
    anyOf: [{ type: ['string', 'integer'] }, { type: 'array', items: { type: ['string', 'integer'] }, minItems: 1 }],
  },
  format: (list) => list.map(addressText).join(' '),
  parse(input, directory) {
    const items: readonly unknown[] = Array.isArray(input) ? input : [input]
    const refusals: Refusal[] = []
    const found = new Map<string, ListenAddress>()
    for (const [index, item] of items.entries()) {
      const at = items.length > 1 ? [index] : []
      const parsed = parseAddress(item, directory)
      if (!parsed.ok) {
        refusals.push(...parsed.refusals.map(({ problem }) => ({ at, problem })))
        continue
      }
      const text = addressText(parsed.value)
      if (found.has(text)) refusals.push({ at, problem: `${quote(item)} is there twice; leave one out` })
      found.set(text, parsed.value)
    }
    return refusals.length > 0 ? { ok: false, refusals } : accept([...found.values()])
  },
}

function parseAddress(input: unknown, directory: string): Parsed<ListenAddress> {
  if (typeof input !== 'string' && typeof input !== 'number') return refuseValue(input, ALLOWED)
  const text = String(input)
  if (/^:?\d{1,9}$/.test(text)) return withPort(input, EVERYWHERE, Number(text.replace(':', '')))
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.*-]+)):(\d{1,9})$/.exec(text)
  if (match !== null) return withHost(input, match[1] ?? match[2] ?? '', Number(match[3]))
  if (/^[a-z]+:\/\//.test(text) || !text.includes('/') || text.includes('\0')) return refuseValue(input, ALLOWED)
  const path = resolve(directory, text)
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES) return accept({ path })
  return refuse(`${quote(path)} is too long for a socket; write a path of at most ${SOCKET_PATH_BYTES} bytes`)
}

function withHost(input: unknown, host: string, port: number): Parsed<ListenAddress> {
  if (host === '*') return withPort(input, EVERYWHERE, port)
  // It is bound as it is written: a name can mean several addresses, and another one tomorrow.
  if (host === 'localhost') return withPort(input, '127.0.0.1', port)
  if (host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return withPort(input, host, port)
  return refuse(`${quote(input)} has a name in it; write an IP address, such as "127.0.0.1:${port}"`)
}

function withPort(input: unknown, host: string, port: number): Parsed<ListenAddress> {
  if (port >= 1 && port <= 65_535) return accept({ host, port })
  return refuse(`${quote(input)} has no port that can be; write one from 1 to 65535`)
}

/** As it would be written. */
export function addressText(address: ListenAddress): string {
  if ('path' in address) return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
