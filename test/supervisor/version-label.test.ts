import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readVersion } from '../../src/supervisor/version-label.ts'

let top: string
beforeEach(() => (top = realpathSync(mkdtempSync(join(tmpdir(), 'label-')))))
afterEach(() => rmSync(top, { recursive: true, force: true }))

const COMMIT = '0123456789abcdef0123456789abcdef01234567'

/** A file below the top directory, with the directories that it needs. */
function write(path: string, content: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true })
  writeFileSync(join(top, path), content)
}

const read = (directory: string, root: string | null, cwd = '.') =>
  readVersion(join(top, directory), { root: root === null ? null : join(top, root), cwd: join(top, cwd) })

it('readVersion() takes the nearest package.json, up to the release that was deployed and no further', () => {
  write('package.json', '{"version":"9.0.0"}')
  write('releases/43/dist/server.js', '')
  expect(read('releases/43/dist', 'releases/43')).toBeNull()
  write('releases/43/package.json', '{"version":"1.2.0"}')
  expect(read('releases/43/dist', 'releases/43')).toBe('1.2.0')
  write('releases/43/dist/package.json', '{"type":"commonjs"}')
  expect(read('releases/43/dist', 'releases/43')).toBeNull()
})

it('readVersion() takes it of what was started up to its working directory', () => {
  write('package.json', '{"version":"9.0.0"}')
  write('web/dist/server.js', '')
  expect(read('web/dist', null, 'web')).toBeNull()
  expect(read('web/dist', null)).toBe('9.0.0')
})

it("readVersion() takes it of a script elsewhere up to git's root, and else the commit", () => {
  write('package.json', '{"version":"9.0.0"}')
  write('web/.git/HEAD', 'ref: refs/heads/main\n')
  write('web/.git/refs/heads/main', `${COMMIT}\n`)
  write('web/dist/server.js', '')
  expect(read('web/dist', null, 'elsewhere')).toBe('0123456')
  write('web/package.json', '{"version":"1.2.0"}')
  expect(read('web/dist', null, 'elsewhere')).toBe('1.2.0')
})

it('readVersion() takes none of a home directory for what is below it', () => {
  const home = process.env['HOME']
  process.env['HOME'] = top
  try {
    expect(homedir()).toBe(top)
    write('package.json', '{"version":"9.0.0"}')
    write('web/server.js', '')
    expect(read('web', null, 'elsewhere')).toBeNull()
    expect(read('web', null)).toBeNull()
    expect(read('.', null)).toBe('9.0.0')
  } finally {
    process.env['HOME'] = home
  }
})
