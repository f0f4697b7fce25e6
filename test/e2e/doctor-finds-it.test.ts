// `supervise doctor` where all is well, and where something is wrong with everything.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { serviceUnit } from '../../src/systemd/unit-files.ts'
import { UNIT } from '../cli/doctor/healthy-facts.ts'
import { TEST_NODE, type CliResult } from '../support/home.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'

interface Told {
  readonly check: string
  readonly level: string
  readonly about: string
  readonly says: string
}

function findingsOf({ stdout }: CliResult): readonly Told[] {
  return JSON.parse(stdout).findings
}

it('doctor finds nothing where all is well, and orphans, dead sockets, a low limit and a stale unit', async () => {
  const { supervise } = await startApp(fixture('hello.js'))
  const { home } = supervise
  const units = join(home.directory, 'units')
  mkdirSync(units)
  const env = { SYSTEMD_UNIT_PATH: units }
  const well = await home.cli(['doctor', '--json'], { env })
  expect(findingsOf(well).filter(({ level }) => level === 'problem')).toEqual([])
  expect(findingsOf(well)).toContainEqual(expect.objectContaining({ level: 'fine', about: 'app hello' }))
  expect(well.code).toBe(0)

  // A supervisor that died with everything, one that left workers, a shell with a low limit, a unit of an older version.
  const dead = join(home.runtime, 'gone')
  mkdirSync(dead, { mode: 0o750 })
  writeFileSync(join(dead, 'state.json'), JSON.stringify({ apps: [{ name: 'jobs', stopped: false }], workers: [] }))
  const pids = await supervise.pids()
  supervise.signal('SIGKILL')
  await supervise.ended()
  const limited = join(home.directory, 'node')
  writeFileSync(limited, `#!/bin/sh\nulimit -n 90; exec ${TEST_NODE} "$@"\n`)
  chmodSync(limited, 0o755)
  const unit = { ...UNIT, name: 'hello', node: '/opt/gone/bin/node', listen: [] }
  writeFileSync(join(units, 'hello.service'), serviceUnit(unit).replace('KillMode=process', 'KillMode=mixed'))

  const text = await home.cli(['doctor'], { env, node: limited })
  expect(text.code).toBe(1)
  expect(text.stdout).toMatch(/✗ instance hello +its supervisor is dead, 2 workers still run \(pids/)
  for (const pid of pids) expect(text.stdout).toContain(String(pid))
  expect(text.stdout).toContain(
    'Try: `supervise start hello --instance hello` starts it again, and it takes them over; or end them: `supervise stop --orphans',
  )
  expect(text.stdout).toMatch(/✗ instance gone +its supervisor died, and nothing of jobs runs/)
  expect(text.stdout).toMatch(/✗ instance gone +others may use .*\(mode 750\)/)
  expect(text.stdout).toMatch(/✗ this shell +at most 90 open files/)
  expect(text.stdout).toMatch(/✗ unit hello.service +the Node that it starts, \/opt\/gone\/bin\/node, cannot be run/)
  expect(text.stdout).toMatch(/! unit hello.service +.*KillMode=mixed → KillMode=process/)
  expect(text.stdout).not.toContain('\u001b')
  const one = await home.cli(['doctor', '--json', '--instance', 'gone'], { env })
  expect(
    findingsOf(one)
      .filter(({ check }) => check === 'instances')
      .every(({ about }) => about === 'instance gone'),
  ).toBe(true)

  expect((await home.cli(['stop', '--orphans', '--instance', 'hello'])).code).toBe(0)
  await supervise.mustHaveNoOrphan()
})
