// One run of the benchmarks, as the measures see it: how long they may take, and the apps that they start.

import { fileURLToPath } from 'node:url'
import { startCluster } from './contenders/cluster.ts'
import type { AppPlan, ContenderName, RunningApp, StartContender } from './contenders/contender.ts'
import { startNode } from './contenders/node.ts'
import { startPm2 } from './contenders/pm2.ts'
import { startSupervise } from './contenders/supervise.ts'
import type { Figure } from './figure.ts'
import { Place } from './place.ts'

export interface Measure {
  readonly id: number
  readonly title: string
  run(bench: Bench): Promise<readonly Figure[]>
}

export interface Pace {
  /** Turns that every contender gets. */
  readonly rounds: number
  /** Everything short: for trying the benchmarks out, not for figures. */
  readonly quick: boolean
}

export const HELLO = fileURLToPath(new URL('../apps/hello.js', import.meta.url))

const START: Readonly<Record<ContenderName, StartContender>> = {
  node: startNode,
  cluster: startCluster,
  pm2: startPm2,
  supervise: startSupervise,
}

export interface Stoppable {
  readonly name: string
  stop(): Promise<void>
}

export class Bench {
  readonly pace: Pace
  readonly place = new Place()
  readonly #running = new Set<Stoppable>()

  constructor(pace: Pace) {
    this.pace = pace
  }

  async start(name: ContenderName, plan: AppPlan): Promise<RunningApp> {
    return this.keep(await START[name](plan, this.place))
  }

  /** Has it ended with the run, should its measure not do so. */
  keep<App extends Stoppable>(app: App): App {
    this.#running.add(app)
    return app
  }

  async stop(app: Stoppable): Promise<void> {
    this.#running.delete(app)
    await app.stop()
  }

  /** Starts the same app with each of them, one after the other. */
  async startAll(names: readonly ContenderName[], plan: AppPlan): Promise<readonly RunningApp[]> {
    const apps: RunningApp[] = []
    for (const name of names) apps.push(await this.start(name, plan))
    return apps
  }

  /** Ends what a measure left running, also one that failed. */
  async stopAll(): Promise<void> {
    for (const app of this.#running) {
      await this.stop(app).catch((error: unknown) => this.say(`${app.name} did not stop: ${String(error)}`))
    }
  }

  /** Ends what is left, and removes every trace. */
  async close(): Promise<void> {
    await this.stopAll()
    await this.place.remove()
  }

  say(text: string): void {
    process.stderr.write(`${text}\n`)
  }
}
