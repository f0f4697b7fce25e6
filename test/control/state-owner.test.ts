import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { openInstanceDirectory, type Environment } from '../../src/control/instance-directory.ts'
import { forgetOwner, noteOwner, refuseSharedState } from '../../src/control/state-owner.ts'
import { startTimeOf } from '../../src/state/process-identity.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'owner-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const environment = (runtime: string): Environment => ({
  SUPERVISE_RUNTIME_DIR: join(root, runtime),
  XDG_STATE_HOME: join(root, 'state'),
})
const open = (runtime: string, name = 'web') => openInstanceDirectory(name, environment(runtime))
const file = () => join(root, 'state/supervise/web/owner.json')

it('refuseSharedState() names who has the state for another runtime directory, as long as that one lives', () => {
  noteOwner(open('one'), environment('one'))
  expect(() => refuseSharedState('web', environment('two'))).toThrow(
    expect.objectContaining({
      code: 'STATE_IS_SHARED',
      exitCode: 8,
      message: expect.stringContaining(`(pid ${process.pid}, runtime directory "${join(root, 'one/web')}")`),
      fix: expect.stringContaining(`SUPERVISE_RUNTIME_DIR=${join(root, 'one')};`),
    }),
  )
  // Its own, be it by another way, an instance of another name, and one whose state is elsewhere.
  refuseSharedState('web', environment('one'))
  symlinkSync(join(root, 'one'), join(root, 'link'))
  refuseSharedState('web', environment('link'))
  refuseSharedState('api', environment('two'))
  refuseSharedState('web', { ...environment('two'), XDG_STATE_HOME: join(root, 'elsewhere') })
  forgetOwner(open('one'), environment('one'))
  refuseSharedState('web', environment('two'))
})

it('refuseSharedState() lets pass whoever comes after a dead one, or finds a note that makes no sense', () => {
  noteOwner(open('one'), environment('one'))
  for (const note of [
    '{',
    'null',
    '{"runtime":1,"pid":1,"startTime":null}',
    JSON.stringify({ runtime: join(root, 'one/web'), pid: process.pid, startTime: '1' }),
  ]) {
    writeFileSync(file(), note)
    expect(() => refuseSharedState('web', environment('two'))).not.toThrow()
  }
})

it('noteOwner() and forgetOwner() leave the note of another one that lives, and may find no room for one', () => {
  const other = spawn('sleep', ['60'])
  onTestFinished(() => void other.kill('SIGKILL'))
  noteOwner(open('one'), environment('one'))
  const pid = other.pid ?? 0
  const note = JSON.stringify({ runtime: join(root, 'two/web'), pid, startTime: startTimeOf(pid) })
  writeFileSync(file(), note)
  noteOwner(open('one'), environment('one'))
  forgetOwner(open('one'), environment('one'))
  expect(readFileSync(file(), 'utf8')).toBe(note)
  noteOwner(open('one'), { ...environment('one'), XDG_STATE_HOME: '/proc/nobody' })
})
