// An app that serves its first release under load, for tests that move it to others.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AppStatus, OperationResult } from '../../src/control/messages.ts'
import { freePort } from './free-port.ts'
import { startSupervise, type Supervise } from './harness.ts'
import { makeHome, type CliResult, type Home } from './home.ts'
import { statusOf } from './instance-facts.ts'
import { mixedLanes, startLoad, type Load } from './load.ts'
import type { LaneRequest } from './load/options.ts'
import { mustExit } from './must-exit.ts'
import { makeRelease, switchLink } from './releases.ts'
import { QUICK } from './under-load.ts'

export interface ReleaseScene {
  readonly home: Home
  readonly supervise: Supervise
  /** That it was started with, for the supervisor that follows it. */
  readonly args: readonly string[]
  readonly port: number
  readonly target: { readonly host: string; readonly port: number }
  readonly load: Load
  /** Makes a release, of the scene's fixture when none is named, and answers its directory. */
  release(version: string, fixture?: string): string
  /** Deploys a release that is made for it; fails when it is refused. */
  deploy(version: string, ...args: readonly string[]): Promise<CliResult>
}

export interface ReleaseChoice {
  readonly fixture: string
  readonly args?: readonly string[] | ((home: Home) => readonly string[])
  readonly lanes?: readonly LaneRequest[]
  readonly ratePerSecond?: number
  /** The app is started from `current`, a symlink to the release. */
  readonly link?: boolean
  /** Ports in a row of which the first is the app's. */
  readonly ports?: number
}

export async function startReleases(choice: ReleaseChoice): Promise<ReleaseScene> {
  const { fixture, args = [], lanes = mixedLanes({ webSockets: 0 }), ratePerSecond = 700, ports = 1 } = choice
  const home = makeHome()
  const release = (version: string, name = fixture): string => {
    const directory = join(home.work, 'releases', version)
    mkdirSync(directory, { recursive: true })
    makeRelease(directory, { fixture: name, version })
    return directory
  }
  const port = await freePort(ports)
  const first = release('1')
  const current = join(home.work, 'current')
  if (choice.link === true) switchLink(current, first)
  const common = [
    join(choice.link === true ? current : first, 'app.js'),
    '-n',
    'web',
    '-i',
    '2',
    '--port',
    String(port),
    ...QUICK,
  ]
  const all = [...common, ...(typeof args === 'function' ? args(home) : args)]
  const supervise = await startSupervise(all, { home })
  const target = { host: '127.0.0.1', port }
  const load = startLoad({ target, lanes, ratePerSecond, durationMs: 120_000 })
  await load.answers(100)
  const deploy = async (version: string, ...more: readonly string[]): Promise<CliResult> => {
    const result = await supervise.cli('deploy', 'web', release(version), ...more)
    mustExit(result, 0)
    return result
  }
  return { home, supervise, args: all, port, target, load, release, deploy }
}

export async function appOf(asked: Pick<Supervise, 'api'> | Home): Promise<AppStatus> {
  const [app] = (await statusOf(asked)).apps
  if (app === undefined) throw new Error('There is no app')
  return app
}

/** Version of the release that has the public traffic, as the supervisor says. */
export async function activeVersion(asked: Pick<Supervise, 'api'> | Home): Promise<string | null> {
  const { groups, active } = await appOf(asked)
  return groups[active]?.version ?? null
}

/** By the control API, which is quicker than a command; fails when it is refused. */
export async function flip(asked: Pick<Supervise, 'api'>): Promise<OperationResult> {
  const { status, text } = await asked.api('POST', '/v1/apps/web/flip', {})
  const result: OperationResult = JSON.parse(text)
  if (status !== 200 || !result.ok) throw new Error(`The flip was refused with ${status}: ${text}`)
  return result
}
