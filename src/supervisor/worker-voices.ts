// What an app's workers say over the link, and who is told: the worker's handle about the process, the lending about
// sockets, the ready watch about its start.

import { reached } from '../fault-points.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import type { AppReports } from './app-reports.ts'
import type { Clock } from './clock.ts'
import type { Lending } from './lending.ts'
import type { Hello } from './link-desk.ts'
import { ReadyWatch } from './ready-watch.ts'
import type { Routing } from './routing.ts'
import type { WorkerChannel, WorkerHandle } from './worker-handle.ts'
import { noteListening } from './worker-listeners.ts'

export class WorkerVoices {
  readonly #lending: Lending
  readonly #routing: Routing
  readonly #clock: Clock
  readonly #reports: AppReports
  readonly #ready = new WeakMap<WorkerHandle, ReadyWatch>()
  /** Requests to listen that wait until every adopted worker has said what it has; null when none is awaited. */
  #waiting: (() => void)[] | null = null

  constructor(lending: Lending, routing: Routing, clock: Clock, reports: AppReports) {
    this.#lending = lending
    this.#routing = routing
    this.#clock = clock
    this.#reports = reports
  }

  /** A process that was just forked. */
  expect(worker: WorkerHandle): void {
    this.#ready.set(worker, new ReadyWatch(worker, this.#clock))
  }

  /** Processes of an earlier supervisor may come: until that is over nothing is bound. */
  beginAdoption(): void {
    this.#waiting ??= []
  }

  get isAdopting(): boolean {
    return this.#waiting !== null
  }

  /** What waited to be bound is, unless nothing is to be bound any more. */
  adoptionOver(mayBind: boolean): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    if (mayBind) for (const listen of waiting) listen()
  }

  /** What a worker that is not ready waits for, in words. */
  waitsFor(worker: WorkerHandle): string | null {
    return this.#ready.get(worker)?.waitsFor ?? null
  }

  /**
   * False for one whose end was seen before its words were read, as a supervisor that was held up may: what it says that it
   * keeps would be waited for, and no socket bound in its stead.
   */
  hello(worker: WorkerHandle, hello: Hello, channel: WorkerChannel): boolean {
    if (worker.state === 'exited') return false
    reached('worker.linked', worker.pid)
    worker.link(channel)
    channel.onMessage = (message, handle) => this.#hear(worker, message, handle)
    for (const report of hello.listeners) if (report.listening) noteListening(worker, report)
    if (hello.route) this.#routing.adopt(hello.route)
    if (this.#routing.isInForce) this.#routing.tell(worker)
    if (hello.again) this.#lending.adoptReports(worker, hello.listeners)
    // Asked again, one that serves might be ended for a dependency that is down just now.
    if (!worker.wasReadyBefore) this.#ready.get(worker)?.hear(hello)
    worker.linked(hello.draining)
    return true
  }

  #hear(worker: WorkerHandle, message: WorkerMessage, handle: SocketHandle | undefined): void {
    worker.hear(message)
    const { incarnation } = worker
    const lending = this.#lending
    switch (message.type) {
      case 'listen':
        return this.#listen(worker, message)
      case 'listening':
        return lending.workerListening(worker, message.key, worker.uptimeMs())
      case 'listenerClosed':
        return lending.workerClosed(incarnation, message.key)
      case 'attached':
        return lending.attached(incarnation, message.key, message.slot, message.error)
      case 'detached':
        return lending.detached(incarnation, message.key, message.slot)
      case 'slot':
        return handle === undefined
          ? lending.slotMissing(incarnation, message.key, message.slot)
          : lending.slotReceived(incarnation, message.key, message.slot, handle)
      case 'noSlot':
        return lending.slotMissing(incarnation, message.key, message.slot)
      case 'saturated':
        this.#reports.note(
          worker,
          'workerSaturated',
          `has ${message.descriptors} of ${message.limit} descriptors in use; takes no new connections`,
          'warn',
        )
        return lending.saturated(incarnation)
      case 'unsaturated':
        return lending.unsaturated(incarnation)
      case 'routed':
        return this.#routing.answered(worker, message.epoch)
      case 'notice':
        return this.#reports.note(worker, 'workerNotice', message.text, 'warn')
      case 'hello':
      case 'allListening':
      case 'message':
        return this.#ready.get(worker)?.hear(message)
      case 'vitals':
      case 'answers':
      case 'tracing':
      case 'appMetrics':
      case 'metricsOffered':
        return this.#reports.heard(worker, message)
      case 'drainProgress':
      case 'drained':
      case 'undrained':
      case 'answered':
      case 'exiting':
      case 'uncaught':
        return
    }
  }

  #listen(worker: WorkerHandle, message: Extract<WorkerMessage, { type: 'listen' }>): void {
    if (this.#waiting !== null) {
      this.#waiting.push(() => this.#listen(worker, message))
      return
    }
    const { id, key, request } = message
    const { errno, name, words, fix, shared } = this.#lending.listen(request, key, message.shared)
    if (words !== '')
      this.#reports.note(worker, errno === 0 ? 'listenNotice' : 'listenFailed', words, errno === 0 ? 'warn' : 'error')
    if (errno !== 0) worker.listenProblem = { words, fix }
    worker.send(errno === 0 ? { type: 'listenReply', id, errno: 0, name, shared } : { type: 'listenReply', id, errno })
  }
}
