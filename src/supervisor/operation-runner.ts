// Runs the operations on one app as core/operation-queue.ts allows, and tells everyone who asked for one how it goes.

import {
  EMPTY_QUEUE,
  finish,
  request,
  type Operation,
  type OperationKind,
  type OperationQueue,
} from '../core/operation-queue.ts'
import type { OperationResult, ProgressLine } from '../control/messages.ts'
import { appIsBusy, operationOvertaken } from '../errors/app.ts'
import type { Clock } from './clock.ts'
import type { OperationContext } from './operations.ts'

/** Sees how an operation went that has run. */
export type Ended = (kind: OperationKind, isOk: boolean, tookMs: number) => void

export type Tell = (line: ProgressLine) => void
export type Body = (tell: Tell, cause: string) => Promise<OperationResult>

interface Job {
  readonly operation: Operation
  readonly body: Body
  readonly cause: string
  readonly listeners: Set<Tell>
  readonly done: Promise<OperationResult>
  settle(result: OperationResult): void
  fail(error: unknown): void
  step: string
  since: number
}

export class OperationRunner {
  readonly #app: string
  readonly #clock: Clock
  readonly #ended: Ended
  readonly #jobs = new Map<number, Job>()
  #queue: OperationQueue = EMPTY_QUEUE
  #nextId = 1

  constructor(app: string, clock: Clock, ended: Ended = () => {}) {
    this.#app = app
    this.#clock = clock
    this.#ended = ended
  }

  get current(): {
    readonly kind: OperationKind
    readonly step: string
    readonly sinceMs: number
    readonly queued: boolean
  } | null {
    const job = this.#queue.current === null ? undefined : this.#jobs.get(this.#queue.current.id)
    if (job === undefined) return null
    const queued = this.#queue.waiting.length > 0
    return { kind: job.operation.kind, step: job.step, sinceMs: this.#clock.now() - job.since, queued }
  }

  /** Resolves with the operation's result, also when it had to wait or was joined to an equal one. */
  async run(kind: OperationKind, subject: string, context: OperationContext, body: Body): Promise<OperationResult> {
    const operation: Operation = { id: this.#nextId++, kind, subject }
    const { queue, verdict } = request(this.#queue, operation)
    this.#queue = queue
    const behind = (other: Operation | null): void =>
      context.progress({ type: 'queued', app: this.#app, behind: other?.kind ?? kind })
    switch (verdict.kind) {
      case 'refuse':
        throw appIsBusy(this.#app, kind, verdict.because.kind)
      case 'join': {
        behind(queue.current)
        const job = this.#jobs.get(verdict.id) as Job
        job.listeners.add(context.progress)
        return job.done
      }
      case 'wait':
        this.#drop(verdict.dropped, kind)
        behind(queue.current)
        return this.#add(operation, context, body).done
      case 'begin': {
        this.#drop(verdict.dropped, kind)
        const job = this.#add(operation, context, body)
        this.#begin(job)
        return job.done
      }
    }
  }

  #drop(dropped: readonly Operation[], because: OperationKind): void {
    for (const { id, kind } of dropped) {
      const isRelease = because === 'deploy' || because === 'rollback'
      const error = isRelease ? operationOvertaken(this.#app, kind, because) : appIsBusy(this.#app, kind, because)
      this.#jobs.get(id)?.fail(error)
      this.#jobs.delete(id)
    }
  }

  #add(operation: Operation, context: OperationContext, body: Body): Job {
    const { promise, resolve, reject } = Promise.withResolvers<OperationResult>()
    const job: Job = {
      operation,
      body,
      cause: context.cause,
      listeners: new Set([context.progress]),
      done: promise,
      settle: resolve,
      fail: reject,
      step: 'waiting',
      since: this.#clock.now(),
    }
    this.#jobs.set(operation.id, job)
    return job
  }

  #begin(job: Job): void {
    job.step = 'running'
    job.since = this.#clock.now()
    const tell: Tell = (line) => {
      if (line.type === 'step') job.step = `worker ${line.worker} ${line.state}`
      if (line.type === 'stage') job.step = line.text
      for (const listener of job.listeners) listener(line)
    }
    job
      .body(tell, job.cause)
      .then(
        (result) => {
          this.#ended(job.operation.kind, result.ok, this.#clock.now() - job.since)
          job.settle(result)
        },
        (error: unknown) => {
          this.#ended(job.operation.kind, false, this.#clock.now() - job.since)
          job.fail(error)
        },
      )
      .finally(() => this.#finished(job))
  }

  #finished(job: Job): void {
    this.#jobs.delete(job.operation.id)
    const { queue, next } = finish(this.#queue, job.operation.id)
    this.#queue = queue
    const following = next === null ? undefined : this.#jobs.get(next.id)
    if (following !== undefined) this.#begin(following)
  }
}
