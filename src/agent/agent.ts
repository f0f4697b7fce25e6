// The agent: what runs beside an app in its worker. It connects the link, the app's listeners, the drain and the app's
// own channel with each other, and decides nothing that the supervisor could decide.

import { Server } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

import { probeLinkInternals } from '../protocol/channel.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import { IpcChannel, isLinkMessage } from '../protocol/ipc-channel.ts'
import {
  OLDEST_PROTOCOL,
  PROTOCOL_VERSION,
  type AgentSettings,
  type DrainProgress,
  type DrainReport,
  type SupervisorMessage,
  type WorkerMessage,
} from '../protocol/messages.ts'
import type { RuntimeBridge } from '../protocol/runtime-bridge.ts'
import { answersToTell, countCutByExit } from './answers.ts'
import { AppChannel } from './app-channel.ts'
import { AppDrain } from './app-drain.ts'
import { Descriptors, type Saturation } from './descriptors.ts'
import { beginDrain, setCloseBound, setMaxRequestsPerConnection, undoDrain } from './drain.ts'
import { FirstListens } from './first-listens.ts'
import { Gate } from './gate.ts'
import { lastWords } from './last-words.ts'
import { Link } from './link.ts'
import { Listeners } from './listeners.ts'
import { missingInternals } from './node-internals.ts'
import { expectProbes } from './public-probes.ts'
import { RegistryAnswers } from './registry-answers.ts'
import { rehearse } from './rehearse.ts'
import { setRoutes } from './route-intercept.ts'
import { routing, setRouting } from './route-state.ts'
import { Traces } from './traces.ts'
import { Unsent } from './unsent.ts'
import { startHeartbeat, type Heartbeat } from './vitals.ts'

const MAX_STACK_LENGTH = 16_000

/** A drain under way or done; a new object for each, so that a late end is not taken for that of the next. */
interface Drain {
  report: DrainReport | null
}

export class Agent {
  readonly #settings: AgentSettings
  readonly #link: Link
  readonly #listeners: Listeners
  readonly #descriptors: Descriptors
  readonly #firstListens: FirstListens
  readonly #appChannel: AppChannel
  readonly #appDrain = new AppDrain((error) => this.#notice(`An onDrain callback of the app failed: ${textOf(error)}`))
  readonly #unsent = new Unsent()
  readonly #traces: Traces | null
  readonly #registries = new RegistryAnswers((message) => this.#link.send(message))
  #drain: Drain | null = null
  /** The link over node:cluster's own channel, where this Node lacks what a real one needs. */
  #ipcLink: IpcChannel<SupervisorMessage, WorkerMessage> | null = null
  #generation = 0
  #heartbeat: Heartbeat | null = null

  constructor(settings: AgentSettings, linkPath: string) {
    this.#settings = settings
    const { tracing } = settings
    this.#traces = tracing ? new Traces(tracing, (state) => this.#link.send({ type: 'tracing', ...state })) : null
    this.#link = new Link(linkPath, {
      connected: (again) => this.#guard('greet its supervisor', () => this.#connected(again)),
      message: (message, handle) => this.#guard(`carry out "${message.type}"`, () => this.#handle(message, handle)),
      ended: () => this.#heartbeat?.stop(),
      orphaned: () => this.#guard('serve without a supervisor', () => this.#acceptOnHeld()),
    })
    this.#descriptors = new Descriptors({
      saturated: (saturation) => this.#saturated(saturation),
      unsaturated: () => this.#unsaturated(),
    })
    this.#listeners = new Listeners({
      endpointPath: (n) => join(settings.endpointDirectory, `${settings.incarnation}-${n}.sock`),
      send: (message, handle) => this.#link.send(message, handle),
      notice: (text) => this.#notice(text),
      accepted: (fd) => this.#descriptors.accepted(fd),
      exhausted: () => this.#descriptors.exhausted(),
      isSaturated: () => this.#descriptors.saturation !== null,
      boundElsewhere: (server) => this.#firstListens.bound(server),
    })
    this.#firstListens = new FirstListens(
      { bound: (server) => this.#bound(server), allBound: () => this.#link.send({ type: 'allListening' }) },
      () => this.#listeners.isOpeningEndpoint,
    )
    this.#appChannel = new AppChannel({
      overLink: (body) => this.#sendOrKeep({ type: 'message', body }),
      linkGeneration: () => (this.#link.isUp ? this.#generation : 0),
      closeServers: (done) => this.#listeners.closeServers(done),
      intercept: (message, handle) => this.#takeFromIpc(message, handle),
      channelEnded: () => this.#ipcLink?.ended(),
    })
  }

  /** The agent's side of `supervise/runtime`. */
  get bridge(): RuntimeBridge {
    const { app, group, release, worker } = this.#settings
    const onDrain: RuntimeBridge['onDrain'] = (callback) => this.#appDrain.add(callback)
    return { app, group, release, worker, onDrain, registerMetrics: (registry) => this.#registries.add(registry) }
  }

  start(): void {
    this.#listeners.install()
    this.#appChannel.install()
    setMaxRequestsPerConnection(this.#settings.maxRequestsPerConnection)
    setRouting(this.#settings)
    setCloseBound({ deadlineMs: this.#settings.drainTimeoutMs, spreadMs: this.#settings.drainSpreadMs })
    process.on('exit', (code) => {
      let cut = 0
      this.#guard('tell its last figures', () => {
        cut = countCutByExit()
        this.#heartbeat?.beat()
      })
      this.#link.send({ type: 'exiting', code, cut })
    })
    process.on('uncaughtExceptionMonitor', (error, origin) => this.#uncaught(error, origin))
    for (const name of missingInternals()) this.#notice(`This Node has no ${name}: what needs it is left out`)
    this.#connect()
  }

  #connect(): void {
    const missing = probeLinkInternals()
    const send = this.#appChannel.originalSend
    if (missing === null || send === undefined) return this.#link.dial()
    this.#notice(`This Node has no ${missing}: the worker cannot be adopted by another supervisor`)
    this.#ipcLink = new IpcChannel((...args) => send.apply(process, args))
    this.#link.use(this.#ipcLink)
  }

  #takeFromIpc(message: unknown, handle: unknown): boolean {
    if (!isLinkMessage(message)) return false
    this.#ipcLink?.receive(Object(message), handle)
    return true
  }

  #connected(again: boolean): void {
    this.#generation++
    this.#link.send({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      oldest: OLDEST_PROTOCOL,
      pid: process.pid,
      settings: this.#settings,
      again,
      draining: this.#drain !== null,
      saidReady: this.#appChannel.saidReady,
      listeners: this.#listeners.reports(),
      route: routing.table && { epoch: routing.table.epoch, active: routing.table.active },
    })
    this.#listeners.askAgain()
    // What still holds is said again: nobody can tell what the supervisor of that time had heard.
    if (this.#firstListens.allBound) this.#link.send({ type: 'allListening' })
    if (this.#descriptors.saturation) this.#link.send({ type: 'saturated', ...this.#descriptors.saturation })
    if (this.#drain?.report) this.#link.send({ type: 'drained', ...this.#drain.report })
    this.#traces?.tellAgain()
    for (const message of this.#unsent.takeAll()) this.#link.send(message)
    this.#registries.sayOffered()
    this.#heartbeat?.stop()
    let isFirst = true
    this.#heartbeat = startHeartbeat(this.#settings.heartbeatMs, (vitals) => {
      this.#link.send({ type: 'vitals', ...vitals })
      const answers = answersToTell(isFirst)
      if (answers !== null) this.#link.send({ type: 'answers', ...answers })
      isFirst = false
    })
  }

  /** Whatever goes wrong here is ours: from the link's own events it would end the app. */
  #guard(what: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#notice(`The agent could not ${what}: ${textOf(error)}`)
    }
  }

  #handle(message: SupervisorMessage, handle: SocketHandle | undefined): void {
    switch (message.type) {
      case 'listenReply':
        return this.#listeners.answer(message)
      case 'hold':
        if (handle !== undefined) this.#listeners.hold(message.key, message.slot, handle)
        return
      case 'attach':
        if (handle !== undefined) this.#listeners.attach(message.key, message.slot, handle, message.backlog)
        return
      case 'detach':
        return this.#listeners.detach(message.key, message.slot)
      case 'give':
        return this.#listeners.give(message.key, message.slots)
      case 'forget':
        return this.#listeners.forget(message.key)
      case 'drain':
        return this.#beginDrain(message.deadlineMs, message.spreadMs)
      case 'undrain':
        return this.#undoDrain()
      case 'route':
        return this.#link.send({ type: 'routed', epoch: setRoutes(message.table) })
      case 'expectProbes':
        return expectProbes(message.secret)
      case 'collect':
        return this.#registries.asked(message)
      case 'ask':
        return this.#link.send({ type: 'answered' })
      case 'rehearse':
        return rehearse(message)
      case 'message':
        return this.#appChannel.deliver(message.body)
      default:
        // A newer supervisor says more than this agent knows.
        handle?.close()
    }
  }

  #beginDrain(deadlineMs: number, spreadMs: number): void {
    if (this.#drain?.report) return this.#link.send({ type: 'drained', ...this.#drain.report })
    // A second order while the first is being carried out has a deadline of its own.
    const drain: Drain = { report: null }
    this.#drain = drain
    this.#listeners.detachAll()
    void this.#finishDrain(drain, deadlineMs, spreadMs)
  }

  /** Done when the connections have ended and the app's callbacks are done, at the deadline at the latest. */
  async #finishDrain(drain: Drain, deadlineMs: number, spreadMs: number): Promise<void> {
    const begun = performance.now()
    const onProgress = (progress: DrainProgress) => this.#link.send({ type: 'drainProgress', ...progress })
    const connections = new Promise<DrainReport>((onDone) => {
      beginDrain({ deadlineMs, spreadMs, onProgress, onDone })
    })
    const [report] = await Promise.all([connections, this.#appDrain.begin(deadlineMs)])
    await Promise.all([this.#traces?.flush(deadlineMs - (performance.now() - begun)), this.#registries.tellLast()])
    if (this.#drain !== drain) return
    drain.report = { ...report, tookMs: Math.round(performance.now() - begun) }
    this.#heartbeat?.beat()
    this.#link.send({ type: 'drained', ...drain.report })
  }

  #undoDrain(): void {
    if (this.#drain !== null) {
      this.#drain = null
      this.#appDrain.undo()
      undoDrain()
    }
    this.#link.send({ type: 'undrained' })
  }

  /** Whatever is not gated gets its socket without the supervisor, which hears of it all the same. */
  #bound(server: object): void {
    this.#traces?.begin()
    // A socket for datagrams warns when it is asked for its handle.
    const isGated = server instanceof Server && Reflect.get(server, '_handle') instanceof Gate
    if (!isGated) this.#sendOrKeep({ type: 'listening', key: '', endpoint: null })
  }

  #saturated(saturation: Saturation): void {
    // Without a supervisor nobody could lend again what is given up now.
    if (this.#link.isUp) this.#listeners.detachAll()
    else this.#listeners.detachHeld()
    this.#link.send({ type: 'saturated', ...saturation })
  }

  #unsaturated(): void {
    this.#link.send({ type: 'unsaturated' })
    if (!this.#link.isUp) this.#acceptOnHeld()
  }

  /** One that drains takes nothing new, also without a supervisor: those that take its place do. */
  #acceptOnHeld(): void {
    if (this.#drain === null) this.#listeners.attachHeld()
  }

  #uncaught(error: Error, origin: string): void {
    // With a listener of its own, or a callback as `node:domain` has it, the app lives on.
    if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()) return
    this.#link.send(lastWords(textOf(error), origin))
  }

  #notice(text: string): void {
    this.#sendOrKeep({ type: 'notice', text })
  }

  #sendOrKeep(message: WorkerMessage): void {
    if (this.#link.isUp) this.#link.send(message)
    else this.#unsent.add(message)
  }
}

function textOf(error: unknown): string {
  try {
    const text = error instanceof Error ? (error.stack ?? error.message) : error
    return String(text).slice(0, MAX_STACK_LENGTH)
  } catch {
    // Anything can be thrown, also what has no text or a getter that throws.
    return 'an error that cannot be shown'
  }
}
