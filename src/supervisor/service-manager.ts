// What this process has from the service manager that started it, and what the manager has from us.

import type { App } from './app.ts'
import type { Supervisor } from './supervisor.ts'
import { unblock } from './unblock.ts'
import { UnitDesk } from './unit-desk.ts'
import { InheritedSockets } from '../sockets/inherited.ts'
import { NOTIFY_NAME, takeActivation, type Activation } from '../systemd/activation.ts'
import { openNotifier, takeManagerVariables, type ManagerVariables, type Notifier } from '../systemd/notifier.ts'
import type { EventType } from '../config/event-types.ts'
import type { EventLog } from '../telemetry/events.ts'

const CAUSE = 'service manager'

export class ServiceManager {
  readonly inherited: InheritedSockets
  readonly #events: EventLog
  readonly #notifier: Notifier | null
  readonly #activation: Activation
  readonly #variables: ManagerVariables
  #desk: UnitDesk | null = null

  /** Takes the variables out of this process's environment, so call it once. */
  constructor(events: EventLog, environment = process.env, pid = process.pid) {
    this.#events = events
    const activation = takeActivation(environment, pid)
    const variables = takeManagerVariables(environment, pid)
    this.#activation = activation
    this.#variables = variables
    const { descriptors } = activation
    this.inherited = new InheritedSockets(descriptors.filter(({ name }) => name !== NOTIFY_NAME))
    // A manager that does not read must not hold the loop.
    for (const { fd, name } of descriptors) if (name === NOTIFY_NAME) unblock(fd)
    this.#notifier = openNotifier(variables, descriptors, { complain: (text) => this.#warn('managerSilent', text) })
    for (const text of this.inherited.problems) this.#warn('socketRefused', text)
    if (activation.problem !== null) this.#warn('socketRefused', activation.problem)
  }

  /**
   * What the next supervisor of the unit must find, to hear and be heard as this one: variables, and the descriptors that
   * are to be its from 3 on. Which process they are for, it says itself.
   */
  get passedOn(): { readonly variables: Readonly<Record<string, string>>; readonly descriptors: readonly number[] } {
    const { descriptors } = this.#activation
    const { socket, watchdogMs } = this.#variables
    return {
      variables: {
        ...(socket !== null && { NOTIFY_SOCKET: socket }),
        ...(watchdogMs !== null && { WATCHDOG_USEC: String(watchdogMs * 1000) }),
        ...(descriptors.length > 0 && {
          LISTEN_FDS: String(descriptors.length),
          LISTEN_FDNAMES: descriptors.map(({ name }) => name).join(':'),
        }),
      },
      descriptors: descriptors.map(({ fd }) => fd),
    }
  }

  /** This process is the unit's from now on. Resolves when the manager has heard it, or cannot. */
  async takeOver(): Promise<void> {
    await this.#notifier?.tell(`MAINPID=${process.pid}`)
  }

  /** Another process is the unit's: nothing more is told. */
  leave(): void {
    this.#desk?.leave()
  }

  /** Whether there is one that hears from us. */
  get isThere(): boolean {
    return this.#notifier !== null
  }

  /** From now on the manager is told how it goes. */
  follow(supervisor: Supervisor): void {
    if (this.#notifier === null) return
    const source = {
      eventLog: supervisor.eventLog,
      get isEnding() {
        return supervisor.isEnding
      },
      unitApps: () => supervisor.apps.map(unitApp),
    }
    this.#desk = new UnitDesk(source, this.#notifier, this.#variables.watchdogMs)
  }

  ready(): void {
    this.#desk?.ready()
    const unused = this.inherited.unused()
    if (unused.length === 0) return
    const text = `no app listens on ${unused.join(', ')}, which the service manager has open: its clients wait; let the app listen there, or take it out of the .socket unit`
    this.#warn('socketUnused', text)
  }

  async close(): Promise<void> {
    await this.#desk?.close()
  }

  #warn(type: EventType, text: string): void {
    this.#events.record({ type, app: null, text, cause: CAUSE }, 'warn')
  }
}

function unitApp(app: App) {
  const { serving, wanted } = app.counts()
  const { name, state, isStopped } = app
  const release = app.activeGroup.generation.release.id
  return { name, state, isStopped, serving, wanted, release, operation: app.operations.current?.kind ?? null }
}
