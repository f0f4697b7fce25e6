// Which Node binaries an app may run with, and what is said of the others.

import { linkSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { askNode } from '../../src/config/node-binary.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { project, refusal, source } from './project.ts'

/** A program that says it is this Node. */
function pretend(directory: string, lines: string, mode = 0o755): string {
  const file = join(directory, 'pretender')
  writeFileSync(file, `#!/bin/sh\n${lines}\n`, { mode })
  return file
}

async function problem(file: string): Promise<string> {
  return JSON.stringify(await askNode(file, {}))
}

describe('askNode()', () => {
  it('follows links to the binary that runs in the end', async () => {
    const link = join(project(), 'current')
    symlinkSync(process.execPath, link)
    expect(await askNode(link, {})).toEqual({
      ok: true,
      execPath: realpathSync(process.execPath),
      version: process.version,
    })
  })

  it('follows a shim that chooses among several', async () => {
    const file = pretend(project(), `exec '${process.execPath}' "$@"`)
    expect(await askNode(file, {})).toMatchObject({ ok: true, execPath: realpathSync(process.execPath) })
  })

  it('is not misled by options that are meant for the app', async () => {
    const found = await askNode(process.execPath, { NODE_OPTIONS: '--require=/nowhere.js' })
    expect(found.ok).toBe(true)
  })

  it('says what is wrong with a file that is no Node that workers can run with', async () => {
    const directory = project()
    mkdirSync(join(directory, 'bin'))
    linkSync(join(directory, 'app.js'), join(directory, 'bin/node'))
    expect(await problem(join(directory, 'nowhere'))).toContain('does not exist')
    expect(await problem(directory)).toContain('is a directory; name the binary in it')
    expect(await problem(join(directory, 'app.js'))).toContain('cannot be run by this user (EACCES)')
    expect(await problem(pretend(directory, 'echo hello'))).toContain('is not Node')
    expect(await problem(pretend(directory, 'exit 1'))).toContain('is not Node')
    expect(await problem(pretend(directory, 'echo v20.19.5'))).toContain('is Node 20.19.5, and workers need 22.22 or')
    expect(await problem(pretend(directory, 'test "$1" = --version && echo v24.0.0'))).toContain('does not run a line')
  })
})

describe('readConfig()', () => {
  it('refuses a Node that is not there, at the place where it was written', async () => {
    const directory = project()
    const byFlag = await refusal(readConfig(source(directory, { flags: { node: 'nowhere' } })))
    expect(byFlag.lines.join('\n')).toMatch(/--node.*nowhere" does not exist/)
    const byVariable = await refusal(readConfig(source(directory, { environment: { SUPERVISE_NODE: 'nowhere' } })))
    expect(byVariable.lines.join('\n')).toMatch(/SUPERVISE_NODE.*nowhere" does not exist/)
  })
})
