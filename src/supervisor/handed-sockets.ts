// Sockets that one supervisor hands on to the next as descriptors, so that they need no worker to live. What systemd has
// open is not among them: it is passed on as it came.

import type { Rests } from '../telemetry/worker-output.ts'
import type { ListenerKey, ListenRequest, SocketName } from '../protocol/messages.ts'
import { adoptListener, type Listener } from '../sockets/listener.ts'
import { openDescriptor } from '../sockets/server-handle.ts'
import type { CommandSockets } from './command-sockets.ts'
import type { Lending } from './lending.ts'

/** One listener of one app. */
export interface HandedListener {
  readonly app: string
  /** Lent to workers with an agent, or given to a command. */
  readonly kind: 'lent' | 'given'
  readonly key: ListenerKey
  readonly request: ListenRequest
  readonly name: SocketName
  readonly slots: readonly { readonly slot: number; readonly fd: number }[]
}

interface Owner {
  readonly name: string
  readonly lending: Pick<Lending, 'places' | 'takeOver'>
  readonly sockets: Pick<CommandSockets, 'places' | 'takeOver'>
}

/** Every socket of these apps that is here, by the numbers that it has here. */
export function collectSockets(apps: readonly Owner[]): readonly HandedListener[] {
  return apps.flatMap(({ name, lending, sockets }) => [
    ...lending.places().flatMap((listener) => handed(name, 'lent', listener)),
    ...sockets.places().flatMap((listener) => handed(name, 'given', listener)),
  ])
}

export function nameOfListener({ app, kind, key }: HandedListener): string {
  return `${app} ${kind} ${key}`
}

function handed(app: string, kind: HandedListener['kind'], listener: Listener): readonly HandedListener[] {
  const { key, request, name } = listener
  const slots = listener.slots.map((slot) => ({ slot, fd: listener.handle(slot)?.fd ?? -1 }))
  return listener.isForeign || slots.length === 0 ? [] : [{ app, kind, key, request, name, slots }]
}

/** How things are when the sockets' owner lets go. */
export interface HandedRest {
  /** What had been read of unfinished lines, by incarnation. */
  readonly rests: Readonly<Record<string, Rests>>
  /** The listeners that are still open, by name. */
  readonly listeners: readonly string[]
  /** By app, a file that had changed, which nobody has acted on. */
  readonly changed?: Readonly<Record<string, string>>
  /** By the wall clock in milliseconds: what changes from then on, the one before may not have seen. */
  readonly heardAt?: number
}

export class HandedSockets {
  readonly changedSince: number | null
  readonly #rests: Readonly<Record<string, Rests>>
  readonly #changed: Readonly<Record<string, string>>
  #listeners: readonly HandedListener[]

  constructor(listeners: readonly HandedListener[], rest: HandedRest) {
    const { rests, listeners: stillOpen, changed = {}, heardAt = null } = rest
    this.#rests = rests
    this.#changed = changed
    this.changedSince = heardAt
    this.#listeners = listeners.filter((each) => !stillOpen.includes(nameOfListener(each)))
    this.closeRest()
    this.#listeners = listeners.filter((each) => stillOpen.includes(nameOfListener(each)))
  }

  restsOf(incarnation: string): Rests {
    return this.#rests[incarnation] ?? []
  }

  /** Null when no change is left to act on. */
  changedOf(app: string): string | null {
    return this.#changed[app] ?? null
  }

  /** Gives an app that was made again what is its own. */
  give({ name, lending, sockets }: Owner): void {
    for (const each of this.#listeners.filter(({ app }) => app === name)) {
      const listener = open(each)
      if (each.kind === 'lent') lending.takeOver(listener)
      else sockets.takeOver(listener)
    }
    this.#listeners = this.#listeners.filter(({ app }) => app !== name)
  }

  /** Whose app is no more. */
  closeRest(): void {
    for (const each of this.#listeners) open(each).letGo()
    this.#listeners = []
  }
}

function open({ key, request, name, slots }: HandedListener): Listener {
  const listener = adoptListener(key, request, name)
  for (const { slot, fd } of slots) {
    const handle = openDescriptor(fd)
    if (typeof handle !== 'number') listener.addSlot(slot, handle)
  }
  return listener
}
