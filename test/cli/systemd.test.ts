// `supervise systemd`: what is refused before anything is written. What systemd makes of the units is in test/e2e/.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from './command.ts'
import { StandIns } from './stand-in.ts'

let standIns: StandIns
let project: string
beforeEach(() => {
  standIns = new StandIns()
  project = standIns.project({ 'app.js': '' })
})
afterEach(() => standIns.end())

const supervise = (cwd: string, ...args: string[]) => run(args, { environment: standIns.environment, cwd })

describe('supervise systemd', () => {
  it.each([
    [['print', 'app.js', '--instance', 'web@1'], '"web@1"'],
    [['uninstall', '../x'], '"../x"'],
    [['print', 'app.js', '--user', '--run-as', 'daemon'], '--user and --run-as'],
    [['print', 'app.js', '--user', '--low-ports'], '--user and --low-ports'],
  ])('refuses %j', async (words, what) => {
    const { code, stdout, stderr } = await supervise(project, 'systemd', ...words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(what)
  })

  it('refuses a directory whose name systemd would misread', async () => {
    const odd = join(project, 'ends-in\\')
    mkdirSync(odd)
    const { code, stderr } = await supervise(odd, 'systemd', 'print', '../app.js')
    expect(code).toBe(2)
    expect(stderr).toContain('joins it with the next one')
  })
})
