// bin/supervise.js: what it refuses, on which Node. It is run as CommonJS from a copy, so that no other file can help it.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const LAUNCHER = fileURLToPath(new URL('../../bin/supervise.js', import.meta.url))
const OLD_NODE = process.env['SUPERVISE_TEST_OLD_NODE'] ?? '/usr/bin/node'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'launcher-'))
  mkdirSync(join(root, 'bin'))
  mkdirSync(join(root, 'dist', 'cli'), { recursive: true })
  cpSync(LAUNCHER, join(root, 'bin', 'supervise.js'))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(root, 'dist', 'cli', 'main.js'), "console.log('started', process.argv.slice(2).join())")
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Runs it with facts about the process that are not so. */
function launch(facts = '', node = process.execPath) {
  const pretend = join(root, 'pretend.cjs')
  writeFileSync(pretend, facts)
  const args = ['--require', pretend, join(root, 'bin', 'supervise.js'), 'status', '--json']
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const pretendNode = (version: string) =>
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`

describe('bin/supervise.js', () => {
  it('starts the command', () => {
    expect(launch()).toEqual({ status: 0, stdout: 'started status,--json\n', stderr: '' })
  })

  it.each(['22.22.0', '23.0.0', '24.0.0', '100.1.0'])('takes Node %s', (version) => {
    expect(launch(pretendNode(version)).status).toBe(0)
  })

  it.each(['12.22.0', '20.20.2', '22.21.9'])('refuses Node %s with one sentence and exit 2', (version) => {
    const { status, stdout, stderr } = launch(pretendNode(version))
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^supervise needs Node\.js 22\.22 or later, and this is .*\n$/)
    expect(stderr).toContain(version)
  })

  it('refuses Windows with one sentence and exit 2', () => {
    const { status, stderr } = launch("Object.defineProperty(process, 'platform', { value: 'win32' })")
    expect(status).toBe(2)
    expect(stderr).toMatch(/^supervise does not run on Windows: .*\n$/)
  })

  it.runIf(existsSync(OLD_NODE))('is refused by the Node of this machine itself, when that is too old', () => {
    const version = spawnSync(OLD_NODE, ['--version'], { encoding: 'utf8' }).stdout
    const isOld = Number(/^v(\d+)/.exec(version)?.[1]) < 22
    expect(launch('', OLD_NODE).status).toBe(isOld ? 2 : 0)
  })

  it('needs the Node that package.json says', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    const wanted = /"node": ">=(\d+)\.(\d+)\.\d+"/.exec(text)
    expect(readFileSync(LAUNCHER, 'utf8')).toContain(`[${wanted?.[1]}, ${wanted?.[2]}]`)
  })

  it('has no word that Node 12 would not parse', () => {
    expect(readFileSync(LAUNCHER, 'utf8')).not.toMatch(/\?\.|\?\?|=>|^import |`|\bconst\b|\blet\b/m)
  })
})
