// One HTTP/1.1 connection and the answers that are due on it. It names what became of each request; what is sent, and when,
// is its owner's choice.

import net from 'node:net'
import tls from 'node:tls'
import { BodyCheck } from './body-check.ts'
import type { Expectation, Target } from './options.ts'
import { codeOf, failureOfError, type FailureContext, type FailureKind } from './outcome.ts'
import { ResponseParser, type ResponseHead, type ResponseListener } from './response-parser.ts'

const LINGER_MS = 1_000

export interface Exchange {
  readonly id: string
  readonly expect: Expectation
  readonly status: number
  readonly sentAt: number
}

export interface ConnectionOwner {
  onConnected(connection: Http1Connection): void
  onAnswer(connection: Http1Connection, exchange: Exchange, head: ResponseHead): void
  /** Also for requests that were never written, because connecting failed. */
  onFailure(connection: Http1Connection, kind: FailureKind, detail: string): void
  /** No further request can be sent on it. Called once, after all answers and failures. */
  onOver(connection: Http1Connection, why: 'closedIdle' | 'resetIdle' | 'announced' | 'failed' | 'own'): void
  /** After `announced`: how the server kept its word. */
  onLingered(connection: Http1Connection, fact: 'closedAsAnnounced' | 'leftOpen'): void
  /** After a 101: the bytes are no longer HTTP. */
  onUpgraded?(connection: Http1Connection, head: ResponseHead, rest: Buffer): void
}

export function openSocket(target: Target, secure: boolean, alpn: readonly string[]): net.Socket {
  if (!secure) return net.connect({ ...target, noDelay: true })
  // The fixtures' certificates are made for one test and signed by nobody.
  return tls.connect({ ...target, rejectUnauthorized: false, ALPNProtocols: [...alpn] }).setNoDelay()
}

export class Http1Connection implements ResponseListener {
  readonly #owner: ConnectionOwner
  readonly #socket: net.Socket
  readonly #parser = new ResponseParser(this)
  readonly #due: Exchange[] = []
  readonly #openedAt = performance.now()
  #state: 'connecting' | 'open' | 'lingering' | 'over' = 'connecting'
  #head: ResponseHead | null = null
  #check: BodyCheck | null = null
  #answered = 0
  #idleSince: number | null = null
  #idleBefore: number | null = null
  #lingerUntil = 0
  #localPort: number | null = null

  constructor(owner: ConnectionOwner, target: Target, secure: boolean) {
    this.#owner = owner
    this.#socket = openSocket(target, secure, ['http/1.1'])
    this.#socket.once(secure ? 'secureConnect' : 'connect', () => this.#connected())
    this.#socket.on('data', (chunk: Buffer) => this.#parser.feed(chunk))
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('error', (error) => this.#broke(codeOf(error)))
    this.#socket.on('close', () => this.#broke('closed'))
  }

  get socket(): net.Socket {
    return this.#socket
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get answered(): number {
    return this.#answered
  }

  get openedAt(): number {
    return this.#openedAt
  }

  send(bytes: string | Buffer, exchanges: readonly Exchange[]): void {
    this.#idleBefore = this.#idleSince === null ? null : performance.now() - this.#idleSince
    this.#idleSince = null
    this.#due.push(...exchanges)
    this.#socket.write(bytes)
  }

  /** Ends an idle connection of our own accord. */
  close(): void {
    if (this.#state === 'over') return
    this.#over('own')
    this.#socket.destroy()
  }

  sweep(now: number, timeoutMs: number): void {
    if (this.#state === 'lingering' && now > this.#lingerUntil) {
      this.#state = 'over'
      this.#owner.onLingered(this, 'leftOpen')
      this.#socket.destroy()
    }
    const oldest = this.#state === 'connecting' ? this.#openedAt : this.#due[0]?.sentAt
    if (oldest === undefined || this.#state === 'over' || now - oldest < timeoutMs) return
    const phase = this.#state === 'connecting' ? 'connecting' : 'waiting for an answer'
    this.#fail('timedOut', `${Math.round(now - oldest)} ms ${phase}`)
  }

  context(): FailureContext {
    return {
      connectionAgeMs: Math.round(performance.now() - this.#openedAt),
      idleBeforeMs: this.#idleBefore === null ? null : Math.round(this.#idleBefore),
      requestsBefore: this.#answered,
      bytesSeen: this.#parser.bytesSeen,
      localPort: this.#localPort,
    }
  }

  isAnswerDue(): boolean {
    return this.#due.length > 0
  }

  onHead(head: ResponseHead): void {
    this.#head = head
    if (head.status === 101 && this.#owner.onUpgraded !== undefined) {
      // The parser keeps what follows; it is taken on the next turn, when all of this chunk has been seen.
      queueMicrotask(() => this.#upgraded(head))
      return
    }
    if (head.status === 101) return this.#fail('unexpectedStatus', 'status 101 without having asked')
    const due = this.#due[0]
    this.#check = new BodyCheck(due !== undefined && head.status === due.status ? due.expect : 'anything')
  }

  onBody(chunk: Buffer): void {
    this.#check?.add(chunk)
  }

  onEnd(): void {
    const exchange = this.#due.shift()
    const head = this.#head
    if (exchange === undefined || head === null) return
    const wrong = wrongWith(head, exchange, this.#check)
    this.#head = null
    if (wrong !== null) return this.#failOne(exchange, wrong)
    this.#answered++
    if (head.willClose) this.#announced()
    else if (this.#due.length === 0) this.#idleSince = performance.now()
    this.#owner.onAnswer(this, exchange, head)
  }

  onBroken(kind: 'extraBytes' | 'malformed', detail: string): void {
    this.#fail(kind, detail)
  }

  #connected(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    // Once it is reset, the socket does not know any more.
    this.#localPort = this.#socket.localPort ?? null
    this.#owner.onConnected(this)
  }

  #upgraded(head: ResponseHead): void {
    if (this.#state !== 'open') return
    this.#due.length = 0
    this.#state = 'over'
    this.#socket.removeAllListeners('data').removeAllListeners('end')
    this.#socket.removeAllListeners('error').removeAllListeners('close')
    this.#owner.onUpgraded?.(this, head, this.#parser.takeRest())
  }

  #announced(): void {
    for (const cut of this.#due.splice(0)) {
      this.#owner.onFailure(this, 'pipelineCut', `request ${cut.id} was behind an answer with "Connection: close"`)
    }
    this.#over('announced')
    this.#state = 'lingering'
    this.#lingerUntil = performance.now() + LINGER_MS
  }

  #ended(): void {
    if (this.#state === 'lingering') {
      this.#state = 'over'
      this.#owner.onLingered(this, 'closedAsAnnounced')
    }
    if (this.#state !== 'open' || this.#parser.end()) return
    if (this.#due.length === 0) return this.#over('closedIdle')
    this.#fail(this.#parser.bytesSeen > 0 ? 'truncated' : 'emptyReply', 'ended')
  }

  #broke(why: string): void {
    if (this.#state === 'lingering') return this.#ended()
    if (this.#state === 'over') return
    if (this.#state === 'connecting') return this.#fail(failureOfError(why), `connecting: ${why}`)
    if (this.#due.length === 0) return this.#over('resetIdle')
    this.#fail(this.#parser.bytesSeen > 0 ? 'truncated' : failureOfError(why), why)
  }

  /** One answer is wrong: the connection may be in any state after it and is left. */
  #failOne(exchange: Exchange, wrong: { kind: FailureKind; detail: string }): void {
    this.#due.unshift(exchange)
    this.#fail(wrong.kind, wrong.detail)
  }

  /** Everything that is due fails, for the same reason. */
  #fail(kind: FailureKind, detail: string): void {
    if (this.#state === 'over') return
    const lingered = this.#state === 'lingering'
    const failures = Math.max(1, this.#due.length)
    for (let failure = 0; failure < failures; failure++) this.#owner.onFailure(this, kind, detail)
    this.#due.length = 0
    this.#state = 'over'
    this.#socket.destroy()
    if (!lingered) this.#owner.onOver(this, 'failed')
    else this.#owner.onLingered(this, 'leftOpen')
  }

  #over(why: 'closedIdle' | 'resetIdle' | 'announced' | 'own'): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#owner.onOver(this, why)
  }
}

function wrongWith(
  head: ResponseHead,
  exchange: Exchange,
  check: BodyCheck | null,
): { kind: FailureKind; detail: string } | null {
  if (head.status !== exchange.status) return { kind: 'unexpectedStatus', detail: `status ${head.status}` }
  if (head.requestId !== null && head.requestId !== exchange.id) {
    return { kind: 'wrongBody', detail: `the answer to request ${head.requestId} came for ${exchange.id}` }
  }
  const wrong = check?.verdict() ?? null
  return wrong === null ? null : { kind: 'wrongBody', detail: wrong }
}
