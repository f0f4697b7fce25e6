// Next in production mode, as it is, loses nothing through a reload.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeHome } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing } from '../support/load.ts'
import { buildNextApp } from '../support/next-app.ts'
import { startUnderLoad } from '../support/under-load.ts'

const MIX = mixedLanes({ webSockets: 0 })

describe('supervise reload', () => {
  it('Next in production mode, behind a server of its own and by its own command, loses nothing', async () => {
    const home = makeHome()
    const directory = join(home.work, 'next')
    const { server, command } = await buildNextApp(directory)
    const lanes = MIX.map((lane) => Object.assign({}, lane, { path: '/api/echo', postPath: '/api/echo' }))
    const byCommand = [command, '--args', 'start', '--cwd', directory]
    for (const [script = '', ...args] of [[server], byCommand]) {
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
