// A release runs with a Node binary and variables of its own: through a crash, a reload and the supervisor's death; and going
// back brings the old ones back.

import { copyFileSync, linkSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ReleaseStatus } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome, TEST_NODE, type Home } from '../support/home.ts'
import type { Target } from '../support/load/options.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { fixture } from '../support/releases.ts'
import { startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

interface Told {
  readonly execPath: string
  readonly env: Readonly<Record<string, string>>
}

async function tell(target: Target): Promise<Told> {
  const told: Told = JSON.parse((await get(target, '/env')).text)
  return told
}

/** The tests' own Node where another is tested; else the same one at another place. */
function otherNode(home: Home): string {
  if (realpathSync(TEST_NODE) !== realpathSync(process.execPath)) return realpathSync(process.execPath)
  const file = join(home.work, 'other-node')
  try {
    linkSync(realpathSync(TEST_NODE), file)
  } catch {
    // On another file system.
    copyFileSync(TEST_NODE, file)
  }
  return file
}

async function historyOf(supervise: Supervise): Promise<ReadonlyMap<string, string | null>> {
  const { stdout } = await supervise.cli('history', 'web', '--json')
  const { releases }: { releases: readonly ReleaseStatus[] } = JSON.parse(stdout)
  return new Map(releases.map(({ release, node }) => [release, node]))
}

describe('supervise deploy --node', () => {
  it('runs the new release with another Node and variables of its own, whatever happens to it, and loses nothing (R16)', async () => {
    const home = makeHome()
    const own = realpathSync(TEST_NODE)
    const other = otherNode(home)
    const link = join(home.work, 'current')
    symlinkSync(other, link)
    const script = fixture('hello.js')
    const args = ['-n', 'web', '-i', '2']
    const port = await freePort()
    const target = { host: '127.0.0.1', port }
    const { supervise, load } = await startUnderLoad(script, args, { home, port })
    expect((await tell(target)).execPath).toBe(own)

    mustExit(await supervise.cli('deploy', 'web', '--node', link, '--env', 'OWN=yes'), 0)
    expect(await tell(target)).toMatchObject({ execPath: other, env: { OWN: 'yes', SUPERVISE_RELEASE: 'r2' } })
    expect((await tell(target)).env['OTEL_RESOURCE_ATTRIBUTES']).toMatch(
      /^service\.name=web,.*service\.instance\.id=[0-9a-f-]{36},supervise\.app=web,.*supervise\.release=r2,/,
    )
    expect(await historyOf(supervise)).toEqual(
      new Map([
        ['r1', null],
        ['r2', other],
      ]),
    )

    mustExit(await supervise.cli('reload', 'web'), 0)
    expect(await tell(target)).toMatchObject({ execPath: other, env: { OWN: 'yes' } })

    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect((await tell(target)).execPath).toBe(own)
    mustExit(await supervise.cli('flip', 'web'), 0)
    expect((await tell(target)).execPath).toBe(other)

    supervise.signal('SIGKILL')
    await supervise.ended()
    await load.answers(100)
    const second = await startSupervise([script, ...args], { home })
    const pids = await second.pids()
    mustHaveLostNothing(await load.stop())

    const { pid } = await get(target)
    await second.cli('signal', 'web', 'KILL')
    await until(async () => !(await second.pids()).includes(pid), 15_000, 'the killed worker was replaced')
    await second.online()
    expect(pids).toContain(pid)
    expect(await tell(target)).toMatchObject({ execPath: other, env: { OWN: 'yes' } })
    await second.stop()

    // As after a reboot: there is nothing left but what was written down.
    const third = await startSupervise([script, ...args, '--port', String(port)], { home })
    expect(await tell(target)).toMatchObject({ execPath: other, env: { OWN: 'yes' } })
    await third.stop()
  })

  it('refuses what is no Node before anything starts, and the old release serves on', async () => {
    const home = makeHome()
    const supervise = await startSupervise([fixture('queue-worker.js'), '-n', 'web', '-i', '1', '--ready', '100ms'], {
      home,
    })
    const pids = await supervise.pids()
    const refused = await supervise.cli('deploy', 'web', '--node', fixture('hello.js'))
    expect(refused).toMatchObject({ code: 5 })
    expect(refused.stderr).toMatch(/Cannot deploy "web" with another Node: ".*hello.js" .*\[RELEASE_NODE_UNUSABLE\]/)
    expect((await supervise.app()).groups.green).toBeNull()
    expect(await supervise.pids()).toEqual(pids)
    await supervise.stop()
  })
})
