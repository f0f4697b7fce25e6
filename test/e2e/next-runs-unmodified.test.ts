// Next in production mode, as it is, loses nothing through a reload.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeHome } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing } from '../support/load.ts'
import { BUILD_LIMIT_MS, buildNextApp, type NextApp } from '../support/next-app.ts'
import { startUnderLoad } from '../support/under-load.ts'

const MIX = mixedLanes({ webSockets: 0 })

let directory: string
let app: NextApp

beforeAll(async () => {
  directory = mkdtempSync('/tmp/sv-next-')
  app = await buildNextApp(join(directory, 'next'))
}, BUILD_LIMIT_MS + 10_000)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('supervise reload', () => {
  it('Next in production mode, behind a server of its own and by its own command, loses nothing', async () => {
    const home = makeHome()
    const lanes = MIX.map((lane) => Object.assign({}, lane, { path: '/api/echo', postPath: '/api/echo' }))
    const byCommand = [app.command, '--args', 'start', '--cwd', join(directory, 'next')]
    for (const [script = '', ...args] of [[app.server], byCommand]) {
      /* oxlint-disable no-await-in-loop -- one after the other */
      const choice = { home, lanes, ratePerSecond: 300 }
      const { supervise, load } = await startUnderLoad(script, ['-i', '2', ...args], choice)
      expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
      await load.answers(200)
      mustHaveLostNothing(await load.stop())
      await supervise.stop()
      /* oxlint-enable no-await-in-loop */
    }
  })
})
