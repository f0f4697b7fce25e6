// Two groups of one worker each behind one listener, as a supervisor would have them before a flip: the public socket is
// blue's alone, and both know each other's private endpoint.

import { fileURLToPath } from 'node:url'

import type { GroupName, ListenerKey } from '../../../src/protocol/messages.ts'
import type { RouteTable } from '../../../src/protocol/routes.ts'
import { Bench, type ForkOptions, type TestSupervisor } from '../support/test-supervisor.ts'

export type Environment = Readonly<Record<string, string>>

export interface Member {
  readonly pid: number
  readonly endpoint: string
}

/** Of the same length, so that answers differ in nothing else. */
export const NAMES = { blue: 'AAAA', green: 'BBBB' } as const

const app = fileURLToPath(new URL('app.cjs', import.meta.url))
const certificates = fileURLToPath(new URL('../../fixtures', import.meta.url))

export class Groups {
  readonly bench = new Bench()
  readonly supervisor: TestSupervisor
  readonly members: Record<GroupName, Member[]> = { blue: [], green: [] }
  key: ListenerKey = ''
  port = 0
  #epoch = 0

  private constructor(bench: Bench, supervisor: TestSupervisor) {
    this.bench = bench
    this.supervisor = supervisor
  }

  static async start(env: Environment = {}, settings: ForkOptions['settings'] = {}): Promise<Groups> {
    const bench = new Bench()
    const groups = new Groups(bench, await bench.supervisor({ lend: false }))
    await groups.fork('blue', env, settings)
    await groups.fork('green', env, settings)
    await groups.attach('blue')
    return groups
  }

  async fork(group: GroupName, env: Environment = {}, settings: ForkOptions['settings'] = {}): Promise<Member> {
    const { supervisor } = this
    const pid = await supervisor.fork(app, {
      env: { NAME: NAMES[group], CERTIFICATES: certificates, ...env },
      settings: { group, release: group === 'blue' ? 'r1' : 'r2', ...settings },
    })
    const { key, endpoint } = await supervisor.said(pid, 'listening')
    const [, port] = await supervisor.output(pid, /port (\d+)/)
    this.key = key
    this.port = Number(port)
    const member = { pid, endpoint: endpoint ?? '' }
    this.members[group].push(member)
    return member
  }

  async attach(group: GroupName): Promise<void> {
    for (const { pid } of this.members[group]) {
      for (const slot of [0, 1]) {
        const from = this.supervisor.events.length
        this.supervisor.say(pid, { type: 'attach', key: this.key, slot, backlog: 511 }, this.key, slot)
        await this.supervisor.said(pid, 'attached', (message) => message.slot === slot, from)
      }
    }
  }

  async detach(group: GroupName): Promise<void> {
    for (const { pid } of this.members[group]) {
      for (const slot of [0, 1]) {
        const from = this.supervisor.events.length
        this.supervisor.say(pid, { type: 'detach', key: this.key, slot })
        await this.supervisor.said(pid, 'detached', (message) => message.slot === slot, from)
      }
    }
  }

  table(active: GroupName, more: Partial<RouteTable> = {}): RouteTable {
    const peersOf = (group: GroupName) => this.members[group].map(({ endpoint }) => endpoint)
    const peers = { [this.key]: { blue: peersOf('blue'), green: peersOf('green') } }
    return { epoch: ++this.#epoch, active, peers, groupSecret: null, ...more }
  }

  /** Resolves when all living workers have acknowledged. */
  async route(active: GroupName, more: Partial<RouteTable> = {}): Promise<RouteTable> {
    const table = this.table(active, more)
    await Promise.all([...this.members.blue, ...this.members.green].map((member) => this.tell(member, table)))
    return table
  }

  /** The epoch that a worker acknowledges. */
  async tell({ pid }: Member, table: RouteTable | null): Promise<number> {
    const from = this.supervisor.events.length
    this.supervisor.say(pid, { type: 'route', table })
    return (await this.supervisor.said(pid, 'routed', () => true, from)).epoch
  }

  async kill(group: GroupName): Promise<void> {
    for (const { pid } of this.members[group].splice(0)) {
      process.kill(pid, 'SIGKILL')
      await this.supervisor.exit(pid)
    }
  }

  close(): Promise<void> {
    return this.bench.close()
  }
}
