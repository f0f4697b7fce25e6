// Somebody cleans up too much: the runtime directory is deleted under a supervisor that lives.

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { get } from '../support/get.ts'
import { untilEvent } from '../support/instance-facts.ts'
import { mustExit } from '../support/must-exit.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

it('a supervisor whose directory was deleted can be reached again, and what crashes is replaced', async () => {
  const { supervise, target } = await startApp(fixture('hello.js'))
  const before = await supervise.pids()
  const directory = supervise.home.instanceDirectory()
  rmSync(directory, { recursive: true })
  for (const pid of before) sendIfAlive(pid, 'SIGKILL')

  await until(
    () => ['control.sock', 'link.sock'].every((name) => existsSync(join(directory, name))),
    10_000,
    'both sockets',
  )
  expect((await get(target)).status).toBe(200)
  await untilEvent(supervise, 'runtimeDeleted')
  await supervise.online()
  expect((await supervise.pids()).filter((pid) => before.includes(pid))).toEqual([])
  mustExit(await supervise.cli('reload'), 0)
  await supervise.stop()
})
