// Somebody sets the wall clock a day forward and two back under a supervisor that lives. Needs libfaketime (Debian: `libfaketime`).

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { get } from '../support/get.ts'
import { makeHome } from '../support/home.ts'
import { eventsOf, statusOf, workersOf } from '../support/instance-facts.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
const HANG_MS = 1_000

it.skipIf(!existsSync(LIBRARY))(
  'kills, ends and takes back nothing, and a log file is rotated once (S17)',
  async () => {
    const home = makeHome()
    const offset = join(home.work, 'offset')
    writeFileSync(offset, '+0')
    const fake = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    }
    const logged = ['--log-file', 'web.log', '--log-every', '1h', '--hang-timeout', `${HANG_MS}ms`]
    const waiting = ['--bake', '10m', '--rollback-window', '10m', '--max-age', '1h']
    const release = (version: string) => makeRelease(join(home.work, version), { fixture: 'hello.js', version })
    const { supervise, target } = await startApp(release('1'), [...logged, ...waiting], { home, env: fake })
    release('2')
    mustExit(await supervise.cli('deploy', join(home.work, '2')), 0)
    const pids = async () => (await workersOf(supervise)).map(({ pid }) => pid)
    const before = await pids()
    const seen = (await eventsOf(supervise)).length

    for (const jump of ['+1d', '-1d']) {
      /* oxlint-disable no-await-in-loop -- one jump after the other */
      writeFileSync(offset, jump)
      const jumped = performance.now()
      await until(() => performance.now() - jumped > 2 * HANG_MS, 4_000, 'twice hangTimeout')
      expect(await pids()).toEqual(before)
      expect((await get(target)).status).toBe(200)
      /* oxlint-enable no-await-in-loop */
    }
    const [app] = (await statusOf(supervise)).apps
    expect(app?.rollout?.step).toBe('baking')
    expect(await eventsOf(supervise)).toHaveLength(seen)
    expect(readdirSync(home.work).filter((name) => name.startsWith('web.log.')).length).toBeLessThanOrEqual(2)
    await supervise.stop()
  },
)
