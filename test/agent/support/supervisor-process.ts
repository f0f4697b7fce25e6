// A supervisor of a few lines, for the agent's tests alone: binds slots, forks cluster workers, lends every slot to every
// worker, and does what the test tells it over IPC. It may be killed at any time; another one then adopts the workers.

import cluster from 'node:cluster'
import net from 'node:net'

import { listen, type Channel } from '../../../src/protocol/channel.ts'
import type { SocketHandle } from '../../../src/protocol/handle.ts'
import { channelToWorker } from '../../../src/protocol/ipc-channel.ts'
import {
  AGENT_ENV,
  type ListenRequest,
  type SupervisorMessage,
  type WorkerMessage,
} from '../../../src/protocol/messages.ts'
import type { Command, ForkCommand, StartOptions, SupervisorEvent } from './commands.ts'

type WorkerLink = Channel<WorkerMessage, SupervisorMessage>

interface TestListener {
  readonly slots: (SocketHandle | undefined)[]
  name: object
  shared: unknown
}

const node = process.execPath
const options: StartOptions = JSON.parse(process.argv[2] ?? '{}')
const links = new Map<number, WorkerLink>()
const listeners = new Map<string, TestListener>()
const createServerHandle: (...args: unknown[]) => SocketHandle | number = Reflect.get(net, '_createServerHandle')

function tell(event: SupervisorEvent): void {
  if (process.connected) process.send?.(event, () => {})
}

function bind(key: string, request: ListenRequest, shared: unknown): TestListener | number {
  const known = listeners.get(key)
  if (known !== undefined) return known
  const isUnix = request.addressType === -1
  const name: { port?: number } = {}
  const slots: SocketHandle[] = []
  for (let slot = 0; slot < (isUnix ? 1 : options.slots); slot++) {
    const port = name.port ?? request.port
    const bound = createServerHandle(request.address, port, request.addressType, -1, isUnix ? 0 : request.flags | 2)
    if (typeof bound === 'number') return bound
    if (!isUnix) bound.getsockname(name)
    slots.push(bound)
  }
  const listener: TestListener = { slots, name, shared }
  listeners.set(key, listener)
  return listener
}

function lendAll(link: WorkerLink, key: string): void {
  for (const [slot, socket] of (listeners.get(key)?.slots ?? []).entries()) {
    if (socket === undefined) continue
    link.send({ type: 'hold', key, slot }, socket)
    if (options.lend) link.send({ type: 'attach', key, slot, backlog: 511 }, socket)
  }
}

function adopt(link: WorkerLink, message: WorkerMessage & { readonly type: 'hello' }): void {
  for (const report of message.listeners) {
    const listener = listeners.get(report.key) ?? { slots: [], name: report.name, shared: undefined }
    listeners.set(report.key, listener)
    const missing = [...new Set([...report.held, ...report.attached])].filter((slot) => !listener.slots[slot])
    if (missing.length > 0) link.send({ type: 'give', key: report.key, slots: missing })
  }
}

function handle(link: WorkerLink, message: WorkerMessage, socket: SocketHandle | undefined): void {
  if (message.type === 'hello') return adopt(link, message)
  if (message.type === 'listen' && !options.deaf) return answer(link, message)
  if (message.type === 'listening' && message.key !== '') return lendAll(link, message.key)
  const slots = message.type === 'slot' ? listeners.get(message.key)?.slots : undefined
  if (message.type === 'slot' && slots !== undefined && socket !== undefined) slots[message.slot] = socket
  if (message.type === 'unsaturated') for (const key of listeners.keys()) lendAll(link, key)
}

function answer(link: WorkerLink, { id, key, request, shared }: WorkerMessage & { readonly type: 'listen' }): void {
  const bound = bind(key, request, shared)
  if (typeof bound === 'number') link.send({ type: 'listenReply', id, errno: bound })
  else link.send({ type: 'listenReply', id, errno: 0, name: bound.name, shared: bound.shared })
}

const server = listen<WorkerMessage, SupervisorMessage>(options.link, serve)

function serve(link: WorkerLink): void {
  let pid = 0
  link.onMessage = (message, socket) => {
    if (message.type === 'hello') {
      pid = message.pid
      links.set(pid, link)
    }
    handle(link, message, socket)
    tell({ event: 'said', pid, message })
  }
  link.onEnd = () => {
    if (links.get(pid) === link) links.delete(pid)
    tell({ event: 'linkEnded', pid })
  }
}

function fork(command: ForkCommand): void {
  // cluster.fork runs whatever this names.
  process.execPath = command.execPath ?? node
  cluster.setupPrimary({
    exec: command.exec,
    args: [],
    execArgv: [...(command.execArgv ?? []), ...(options.preload === '' ? [] : ['--require', options.preload])],
    silent: true,
  })
  const worker = cluster.fork({
    ...command.env,
    [AGENT_ENV.link]: options.link,
    [AGENT_ENV.settings]: JSON.stringify(command.settings),
  })
  const pid = worker.process.pid ?? 0
  // What a Node without the link's internals speaks; silent otherwise.
  serve(channelToWorker(worker.process))
  worker.process.stdout?.on('data', (text) => tell({ event: 'output', pid, text: String(text) }))
  worker.process.stderr?.on('data', (text) => tell({ event: 'output', pid, text: String(text) }))
  // One that ended with an answer under way to it.
  worker.on('error', () => {})
  worker.on('message', (body) => tell({ event: 'ipc', pid, body }))
  worker.on('disconnect', () => tell({ event: 'disconnected', pid }))
  worker.on('exit', (code, signal) => tell({ event: 'exited', pid, code, signal }))
  tell({ event: 'forked', pid })
}

process.on('message', (command: Command) => {
  switch (command.do) {
    case 'fork':
      return fork(command)
    case 'say':
      return links.get(command.pid)?.send(command.message, listeners.get(command.key ?? '')?.slots[command.slot ?? 0])
    case 'lend': {
      const link = links.get(command.pid)
      for (const key of listeners.keys()) if (link) lendAll(link, key)
      return
    }
    case 'hangUp':
      return links.get(command.pid)?.close()
    case 'ipc':
      for (const worker of Object.values(cluster.workers ?? {})) {
        if (worker?.process.pid === command.pid) worker.send(command.body)
      }
      return
    case 'count':
      return tell({
        event: 'counted',
        listeners: Object.fromEntries([...listeners].map(([key, l]) => [key, l.slots.length])),
      })
    case 'stop':
      server.close()
      process.exit(0)
  }
})
process.on('disconnect', () => process.exit(0))
tell({ event: 'started' })
