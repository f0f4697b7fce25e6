// Whoever deploys sees each stage, can wait for the end of the watch, and can reach the release without public traffic.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeHome } from '../support/home.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

const TAKEN_BACK = 5
const ASK = 'fetch(process.argv[1]).then((answer) => answer.json()).then(({ release }) => console.log(release))'

it('supervise deploy --wait tells each stage, and exits with 5 when the watch ends badly; preview reaches the other release', async () => {
  const home = makeHome()
  const release = (version: string, fixture: string) => {
    const directory = join(home.work, version)
    mkdirSync(directory)
    makeRelease(directory, { fixture, version })
    return directory
  }
  const script = join(release('one', 'hello.js'), 'app.js')
  const { supervise } = await startApp(script, ['-n', 'web', '--bake', '4s', '--smoke', 'true'], { home })

  const good = await supervise.cli('deploy', 'web', release('two', 'hello.js'), '--wait')
  mustExit(good, 0)
  expect(good.stdout).toMatch(/^✓ web: r2 is promoted; r1 stays warm \(/)
  const stages = [
    'r1 one → r2 two  blue-green, 2 workers',
    'memory: ',
    'worker 2 ready after',
    'all ready, stayed up (',
    'smoke test passed (',
    'flip in ',
    'serves and is watched for 4s',
    'watched, nothing was found (',
  ]
  const places = stages.map((stage) => good.stderr.indexOf(`web: ${stage}`))
  expect(places, good.stderr).toEqual(places.toSorted((a, b) => a - b))
  expect(places).not.toContain(-1)

  const asked = await supervise.cli('preview', 'web', '--', process.execPath, '-e', ASK, '{url}/who')
  expect(asked).toMatchObject({ code: 0, stdout: 'one\n' })
  await until(
    async () => {
      const { blue, green } = (await supervise.app()).groups
      return (blue?.rssBytes ?? 0) > 0 && (green?.rssBytes ?? 0) > 0
    },
    15_000,
    'the memory of both releases is known',
  )

  const bad = supervise.cli(
    'deploy',
    'web',
    release('three', 'crashes-after-ready.js'),
    '--env',
    'LIFE_MS=3000',
    '--wait',
  )
  await until(async () => (await supervise.app()).rollout?.step === 'baking', 20_000, 'the bad release is watched')
  const watching = supervise.cli('rollout', 'web', '--watch')
  for (const { code, stderr } of [await bad, await watching]) {
    expect(code, stderr).toBe(TAKEN_BACK)
    expect(stderr).toMatch(/✗ Cannot keep r3 of "web": .*crashed after it was ready.* {2}\[ROLLOUT_TAKEN_BACK\]/)
    expect(stderr).toContain('Still serving r2 two: 2 of 2 workers.')
    expect(stderr).toContain('Logs: supervise logs web --release r3')
  }
  // Whoever asks when it is over is told the same.
  await until(async () => (await supervise.app()).rollout === null, 20_000, 'the rollout is over')
  const late = await supervise.cli('rollout', 'web', '--watch')
  expect([late.code, late.stderr]).toEqual([TAKEN_BACK, expect.stringContaining('Cannot keep r3 of "web": ')])
  expect((await supervise.cli('status', 'web')).stdout).toMatch(/\n {4}r3 \(three\) was taken back at .*: .*worker/)
  expect((await supervise.cli('logs', 'web', '--release', 'r3')).stdout).toContain('crashed after it was ready')
  expect((await supervise.cli('logs', 'web', '--release', 'r2')).stdout).not.toContain('crashed after it was ready')
  await supervise.stop()
})
