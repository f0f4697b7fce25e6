// 23. A unit of a real systemd in namespaces of its own, whose sockets systemd opened: its supervisor is killed, restarted and
// reloaded again and again under load.

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../../test/support/free-port.ts'
import { makeRelease } from '../../../test/support/releases.ts'
import { Systemd, whyNoSystemd } from '../../../test/support/systemd.ts'
import { until } from '../../../test/support/until.ts'
import type { Bench, Measure } from '../bench.ts'
import type { Figure } from '../figure.ts'
import { killFigures, lifeAt, lostIn, timesOf, turnsUnderLoad, untilAnother } from '../turns-under-load.ts'

const SERVICE = 'app.service'

/** Clients are served for a while before the next one. */
const LIVES_MS = 700

export interface Counts {
  readonly kills: number
  readonly restarts: number
  readonly reloads: number
}

export function underSystemd(counts: Counts): Measure {
  const { kills, restarts, reloads } = counts
  return {
    id: 23,
    title: `${kills} SIGKILLs, ${restarts} restarts and ${reloads} reloads under systemd`,
    async run(bench: Bench): Promise<readonly Figure[]> {
      const missing = whyNoSystemd()
      if (missing !== null) throw new Error(`Cannot measure under systemd: ${missing}`)
      const systemd = new Systemd()
      try {
        await systemd.boot()
        return await new Unit(bench, systemd, await install(systemd)).live(counts)
      } finally {
        await systemd.end()
      }
    },
  }
}

async function install(systemd: Systemd): Promise<number> {
  const port = await freePort()
  const directory = join(systemd.directory, 'app')
  makeRelease(directory, { fixture: 'hello.js', version: '1' })
  const app = ['app.js', '-n', 'app', '-i', '2', '--port', String(port), '--env', 'HOST=127.0.0.1']
  const words = [...app, '--drain-spread', '0', '--socket', `127.0.0.1:${port}`, '--socket-slots', '4']
  const { code, stderr } = systemd.supervise(directory, 'systemd', 'install', ...words)
  if (code !== 0) throw new Error(`Cannot install the unit: ${stderr}`)
  // So many ends in so short a time are no accident, and systemd would start nothing again.
  systemd.dropIn(SERVICE, ['[Unit]', 'StartLimitIntervalSec=0'])
  return port
}

class Unit {
  readonly #bench: Bench
  readonly #systemd: Systemd
  readonly #port: number
  readonly #controlSocket: string

  constructor(bench: Bench, systemd: Systemd, port: number) {
    this.#bench = bench
    this.#systemd = systemd
    this.#port = port
    this.#controlSocket = systemd.seenFromOutside('/run/supervise/app/control.sock')
  }

  async live({ kills, restarts, reloads }: Counts): Promise<readonly Figure[]> {
    let changed = 0
    const killed = await this.#turns(kills, async () => {
      const before = await lifeAt(this.#controlSocket)
      const began = performance.now()
      this.#systemd.inside('kill', '-9', String(before.pid))
      const after = await untilAnother(this.#controlSocket, before)
      const tookMs = performance.now() - began
      if (after.workers !== before.workers) changed++
      await until(() => this.#systemd.property(SERVICE, 'ActiveState') === 'active', 20_000, 'the unit is active')
      await pause(LIVES_MS)
      return tookMs
    })
    const restarted = await this.#turns(restarts, () => this.#systemctl('restart'))
    const reloaded = await this.#turns(reloads, () => this.#systemctl('reload'))
    return [
      ...killFigures('under systemd', killed, changed),
      lostIn(`${restarts} \`systemctl restart\``, restarted),
      ...timesOf('one `systemctl restart`', restarted),
      lostIn(`${reloads} \`systemctl reload\``, reloaded),
      ...timesOf('one `systemctl reload`', reloaded),
    ]
  }

  #turns(count: number, turn: () => Promise<number>) {
    return turnsUnderLoad(this.#bench, this.#port, count, turn)
  }

  async #systemctl(verb: string): Promise<number> {
    const { code, stderr, tookMs } = await this.#systemd.begin('systemctl', verb, SERVICE)
    if (code !== 0) throw new Error(`Cannot ${verb} the unit: ${stderr}`)
    return tookMs
  }
}
