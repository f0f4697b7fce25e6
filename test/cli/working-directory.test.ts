import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LAUNCHER, makeHome, TEST_NODE } from '../support/home.ts'

it('a command that needs no directory runs in one that was deleted, as after a switch of releases', () => {
  const home = makeHome()
  const directory = mkdtempSync(join(tmpdir(), 'gone-'))
  const script = `cd "${directory}" && rmdir "${directory}" && exec "$0" "$@"`
  const { status, stderr } = spawnSync('/bin/sh', ['-c', script, TEST_NODE, LAUNCHER, 'status'], {
    env: home.env,
    encoding: 'utf8',
  })
  expect(stderr).toContain('Cannot find a supervisor')
  expect(status).toBe(3)
  expect(() => rmdirSync(directory)).toThrow('ENOENT')
})
