// What this process has from the service manager that started it, and what the manager has from us.

import type { App } from './app.ts'
import type { Supervisor } from './supervisor.ts'
import { unblock } from './unblock.ts'
import { UnitDesk } from './unit-desk.ts'
import { InheritedSockets } from '../sockets/inherited.ts'
import { takeActivation } from '../systemd/activation.ts'
import { NOTIFY_NAME, openNotifier, takeManagerVariables, type Notifier } from '../systemd/notifier.ts'
import type { EventType } from '../config/event-types.ts'
import type { EventLog } from '../telemetry/events.ts'

const CAUSE = 'service manager'

export class ServiceManager {
  readonly inherited: InheritedSockets
  readonly #events: EventLog
  readonly #notifier: Notifier | null
  readonly #watchdogMs: number | null
  #desk: UnitDesk | null = null

  /** Takes the variables out of this process's environment, so call it once. */
  constructor(events: EventLog, environment = process.env, pid = process.pid) {
    this.#events = events
    const activation = takeActivation(environment, pid)
    const variables = takeManagerVariables(environment, pid)
    const { descriptors } = activation
    this.inherited = new InheritedSockets(descriptors.filter(({ name }) => name !== NOTIFY_NAME))
    this.#watchdogMs = variables.watchdogMs
    // A manager that does not read must not hold the loop.
    for (const { fd, name } of descriptors) if (name === NOTIFY_NAME) unblock(fd)
    this.#notifier = openNotifier(variables, descriptors, { complain: (text) => this.#warn('managerSilent', text) })
    for (const text of this.inherited.problems) this.#warn('socketRefused', text)
    if (activation.problem !== null) this.#warn('socketRefused', activation.problem)
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
    this.#desk = new UnitDesk(source, this.#notifier, this.#watchdogMs)
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
