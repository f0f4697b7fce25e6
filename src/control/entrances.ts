// What an instance is reached by, and what must be one supervisor's alone: lock, link, control socket, admin address. They
// are opened together, handed over together, and taken back together.

import { rmSync } from 'node:fs'
import { messageOf } from '../config/failure.ts'
import { LinkGuard } from '../supervisor/link-guard.ts'
import { openLinkDesk } from '../supervisor/link-desk.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { startAdminServer, type AdminOptions, type AdminServer } from './admin-server.ts'
import type { InstanceDirectory } from './instance-directory.ts'
import { takeLock, type InstanceLock } from './instance-lock.ts'
import { forgetOwner, noteOwner } from './state-owner.ts'
import type { InstanceLog } from './instance-log.ts'
import { KeptEntrance } from './reachability.ts'
import { answeringFor, LIMITS, startControlServer, type ControlServer } from './server.ts'

/** A killed process has its lock for a moment longer. */
const TAKE_BACK_MS = 3_000

export interface Instance {
  readonly directory: InstanceDirectory
  readonly supervisor: Supervisor
  readonly log: InstanceLog
}

type Link = ReturnType<typeof openLinkDesk>

export class Entrances {
  readonly #instance: Instance
  readonly #adminOptions: AdminOptions | null
  readonly #guard: LinkGuard
  #lock: InstanceLock
  /** Another supervisor may have them. */
  #letGo = { admin: false, lock: false }
  /** Whose clients stay, though another one has its address. */
  readonly #formerAdmins: AdminServer[] = []
  #admin: AdminServer | null = null
  #link: KeptEntrance<Link> | null = null
  #control: KeptEntrance<ControlServer> | null = null

  constructor(instance: Instance, lock: InstanceLock, admin: AdminOptions | null) {
    this.#instance = instance
    this.#adminOptions = admin
    this.#lock = lock
    this.#guard = new LinkGuard(instance.log.events)
  }

  /** The admin address first: whoever asked for one that cannot be had shall know it before anything is started. */
  async open(): Promise<void> {
    await this.#openAdmin()
    this.#openLink()
    const { controlSocket } = this.#instance.directory
    const open = () => this.#startControl()
    const first = await open()
    const entrance = { path: controlSocket, open }
    this.#control = new KeptEntrance(this.#instance.directory, entrance, first, (error) =>
      this.#found(controlSocket, error),
    )
  }

  /** For another supervisor. The control socket goes on answering until that one has its own. */
  async handOver(): Promise<void> {
    this.#letGo.admin = true
    this.#admin?.giveWay()
    const link = this.#link
    this.#link = null
    await link?.close()
    this.#letGo.lock = true
    await this.#lock.handOver()
  }

  /** What was let go of, all but the link. Rejects when somebody else has the instance by now. */
  async takeBack(): Promise<void> {
    const { directory, supervisor } = this.#instance
    if (this.#letGo.lock) {
      this.#lock = await takeLock(directory, TAKE_BACK_MS, process.pid)
      this.#letGo.lock = false
      noteOwner(directory)
      await this.#control?.renew().catch((error: unknown) => this.#lookAgain(directory.controlSocket, error))
    }
    if (!this.#letGo.admin) return
    this.#letGo.admin = false
    if (this.#admin !== null) this.#formerAdmins.push(this.#admin)
    this.#admin = null
    await this.#openAdmin().catch((error: unknown) => supervisor.internalError(error))
  }

  /** When the supervisor listens to workers again: one that is sent away dials ever more rarely. */
  takeLinkBack(): void {
    if (this.#link !== null) return
    try {
      this.#openLink()
    } catch (error) {
      this.#lookAgain(this.#instance.directory.linkSocket, error)
      this.#keepLink({ close: () => {} })
    }
  }

  /** Ends what people and workers come in by; the lock is held to the last. */
  async close(): Promise<void> {
    await this.#control?.close()
    await Promise.all([...this.#formerAdmins, ...(this.#admin ? [this.#admin] : [])].map((admin) => admin.close()))
    await this.#link?.close()
  }

  async releaseLock(): Promise<void> {
    forgetOwner(this.#instance.directory)
    await this.#lock.release()
  }

  async #openAdmin(): Promise<void> {
    const options = this.#adminOptions
    if (options === null) return
    const { supervisor, log } = this.#instance
    const onError = (error: unknown, request: string) =>
      supervisor.internalError(new Error(`${request}: ${String(error)}`))
    this.#admin = await startAdminServer(answeringFor(supervisor, LIMITS, onError), options)
    const nothing = options.token === null ? ', which changes nothing' : ''
    const text = `metrics, probes and the control API at ${this.#admin.url}${nothing}`
    log.events.record({ type: 'adminOpened', app: null, text, cause: 'option admin' })
  }

  #openLink(): void {
    this.#keepLink(this.#startLink())
  }

  #keepLink(first: Link): void {
    const { directory } = this.#instance
    const path = directory.linkSocket
    const entrance = { path, open: () => this.#startLink() }
    this.#link = new KeptEntrance(directory, entrance, first, (error) => this.#found(path, error))
  }

  #startLink(): Link {
    const { directory, supervisor, log } = this.#instance
    return openLinkDesk(
      directory.linkSocket,
      (hello, channel) => !supervisor.clock.isStopped && this.#guard.admits(hello) && supervisor.hello(hello, channel),
      (text) => log.events.record({ type: 'linkMissing', app: null, text, cause: 'supervisor' }, 'warn'),
    )
  }

  /** A socket that is gone is opened again by whoever keeps it. */
  #lookAgain(path: string, error: unknown): void {
    const { supervisor } = this.#instance
    supervisor.internalError(error)
    try {
      rmSync(path, { force: true, recursive: true })
    } catch (reason) {
      // Its directory cannot be written to: it is opened again once somebody has made room, and removed it.
      supervisor.internalError(reason)
    }
  }

  #startControl(): Promise<ControlServer> {
    const { directory, supervisor } = this.#instance
    return startControlServer(directory, supervisor, {
      onError: (error, request) => supervisor.internalError(new Error(`${request}: ${String(error)}`)),
    })
  }

  /** Somebody deleted it under a supervisor that lives. */
  #found(path: string, error: unknown): void {
    const { supervisor, log } = this.#instance
    const text = error === null ? `${path} was deleted, and is there again` : `${path} was deleted: ${messageOf(error)}`
    log.events.record({ type: 'runtimeDeleted', app: null, text, cause: 'supervisor' }, 'warn')
    supervisor.saveSoon()
  }
}
