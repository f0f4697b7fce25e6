// What the other group's worker must know of a client's connection: sent once at the beginning of a private connection,
// and worn there by the socket, so that the app sees its client and not us.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** No HTTP message begins with it, so that plain probes can come through the same endpoint. */
const MAGIC = 0
const NEWLINE = 10
const MAX_PREAMBLE_BYTES = 64 * 1024

const ADDRESSES = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'] as const
const TLS_PROPERTIES = ['alpnProtocol', 'servername', 'authorized'] as const
const TLS_ANSWERS = ['getCipher', 'getProtocol', 'isSessionReused', 'getEphemeralKeyInfo', 'getSharedSigalgs'] as const

interface TlsFacts {
  readonly properties: Readonly<Record<string, unknown>>
  readonly authorizationError: string | null
  /** What the methods of these names answer. */
  readonly answers: Readonly<Record<string, unknown>>
  /** DER in base64. */
  readonly certificate: string | null
}

export interface ClientFacts {
  readonly addresses: Readonly<Record<string, unknown>>
  readonly tls: TlsFacts | null
}

export type Preamble =
  | { readonly state: 'absent' }
  | { readonly state: 'incomplete' }
  | { readonly state: 'broken' }
  | { readonly state: 'read'; readonly facts: ClientFacts; readonly rest: Buffer }

/** The bytes that introduce a client to the other worker. */
export function preambleOf(client: Socket): Buffer {
  const tls = isTls(client) ? tlsFactsOf(client) : null
  const facts: ClientFacts = { addresses: pick(client, ADDRESSES), tls }
  return Buffer.from(`\0${JSON.stringify(facts)}\n`)
}

/** Reads the beginning of a private connection, which may come in pieces. */
export function readPreamble(bytes: Buffer): Preamble {
  if (bytes[0] !== MAGIC) return { state: 'absent' }
  const end = bytes.indexOf(NEWLINE)
  if (end > MAX_PREAMBLE_BYTES || (end < 0 && bytes.length > MAX_PREAMBLE_BYTES)) return { state: 'broken' }
  if (end < 0) return { state: 'incomplete' }
  const facts = parse(bytes.toString('utf8', 1, end))
  return facts === null ? { state: 'broken' } : { state: 'read', facts, rest: bytes.subarray(end + 1) }
}

/** Own properties of the socket hide those of the private connection. */
export function wearFacts(socket: Socket, { addresses, tls }: ClientFacts): void {
  // Also what is absent: a client of a Unix socket has no address.
  for (const name of ADDRESSES) show(socket, name, addresses[name])
  const { localAddress: address, localFamily: family, localPort: port } = addresses
  show(socket, 'address', () => (address === undefined ? {} : { address, family, port }))
  if (tls !== null) wearTls(socket, tls)
}

function wearTls(socket: Socket, tls: TlsFacts): void {
  show(socket, 'encrypted', true)
  for (const [name, value] of Object.entries(tls.properties)) show(socket, name, value)
  show(socket, 'authorizationError', tls.authorizationError)
  for (const name of TLS_ANSWERS) show(socket, name, () => tls.answers[name])
  const certificate = () => {
    if (tls.certificate === null) return undefined
    const { X509Certificate } = process.getBuiltinModule('node:crypto')
    return new X509Certificate(Buffer.from(tls.certificate, 'base64'))
  }
  show(socket, 'getPeerX509Certificate', certificate)
  show(socket, 'getPeerCertificate', () => certificate()?.toLegacyObject() ?? {})
  // The handshake itself is in the other worker.
  for (const name of ['getSession', 'getTLSTicket', 'getFinished', 'getPeerFinished'])
    show(socket, name, () => undefined)
  for (const name of ['setMaxSendFragment', 'renegotiate']) show(socket, name, () => false)
  show(socket, 'disableRenegotiation', () => {})
}

function tlsFactsOf(client: TLSSocket): TlsFacts {
  const answers = Object.fromEntries(TLS_ANSWERS.map((name) => [name, client[name]() as unknown]))
  return {
    properties: pick(client, TLS_PROPERTIES),
    authorizationError: client.authorizationError ? String(client.authorizationError) : null,
    answers,
    certificate: client.getPeerX509Certificate()?.raw.toString('base64') ?? null,
  }
}

function isTls(socket: Socket): socket is TLSSocket {
  return 'getPeerX509Certificate' in socket
}

function pick(owner: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(owner, name) as unknown]))
}

function show(socket: Socket, name: string, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, enumerable: true, writable: true })
}

function parse(text: string): ClientFacts | null {
  try {
    const facts: unknown = JSON.parse(text)
    const isWhole = typeof facts === 'object' && facts !== null && 'addresses' in facts && 'tls' in facts
    // Written by another worker's agent, in a directory that nobody else can enter.
    return isWhole ? (facts as ClientFacts) : null
  } catch {
    return null
  }
}
