import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  instanceDirectory,
  instanceNames,
  isStrangers,
  openInstanceDirectory,
  runtimeRoot,
} from '../../src/control/instance-directory.ts'
import { EXIT, SuperviseError } from '../../src/errors.ts'
import { until } from '../support/until.ts'

const uid = process.getuid?.() ?? 0
const isRoot = uid === 0
const NOBODY = 65_534
let root: string

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'dir-')))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const at = (path: string) => ({ SUPERVISE_RUNTIME_DIR: path })
const modeOf = (path: string) => lstatSync(path).mode & 0o7777

function refusal(act: () => unknown): SuperviseError {
  try {
    act()
  } catch (error) {
    if (error instanceof SuperviseError) return error
    throw error
  }
  throw new Error('It was not refused')
}

test('runtimeRoot() takes the first of the places that is given', () => {
  const all = {
    SUPERVISE_RUNTIME_DIR: '/own',
    RUNTIME_DIRECTORY: '/run/a:/run/b',
    XDG_RUNTIME_DIR: '/xdg',
    TMPDIR: root,
  }
  expect(runtimeRoot(all)).toBe('/own')
  expect(runtimeRoot({ ...all, SUPERVISE_RUNTIME_DIR: '' })).toBe('/run/a')
  expect(runtimeRoot({ ...all, SUPERVISE_RUNTIME_DIR: '', RUNTIME_DIRECTORY: '' })).toBe('/xdg/supervise')
  expect(runtimeRoot({ SUPERVISE_RUNTIME_DIR: 'own' })).toBe(join(process.cwd(), 'own'))
})

test('runtimeRoot() falls back to /run/user where it is ours, or to a directory of this user in the temporary one', () => {
  const fallback = [`/run/user/${uid}/supervise`, join(root, `supervise-${uid}`)]
  const expected = existsSync(`/run/user/${uid}`) ? fallback[0] : fallback[1]
  expect(runtimeRoot({ TMPDIR: root })).toBe(expected)
  expect(runtimeRoot({ TMPDIR: root, XDG_RUNTIME_DIR: 'relative' })).toBe(expected)
})

test('openInstanceDirectory() creates what is missing, for this user alone', () => {
  const directory = openInstanceDirectory('web', at(join(root, 'a', 'b')))
  expect(directory).toEqual(instanceDirectory('web', at(join(root, 'a', 'b'))))
  for (const path of [directory.path, directory.endpoints, directory.output]) expect(modeOf(path)).toBe(0o700)
  expect(openInstanceDirectory('web', at(join(root, 'a', 'b')))).toEqual(directory)
})

test('openInstanceDirectory() is not misled by the umask', () => {
  const umask = process.umask(0o777)
  try {
    expect(modeOf(openInstanceDirectory('web', at(root)).endpoints)).toBe(0o700)
  } finally {
    process.umask(umask)
  }
})

test.each(['', '.', '..', '../x', 'a/b', '-x', 'a b', 'ü', 'x\0', 'x'.repeat(65)])(
  'instanceDirectory() refuses the name %j',
  (name) => {
    expect(refusal(() => instanceDirectory(name, at(root)))).toMatchObject({
      code: 'INVALID_INSTANCE_NAME',
      exitCode: EXIT.usage,
    })
  },
)

test('openInstanceDirectory() refuses a path too long for the sockets in it before it creates anything', () => {
  // endpoints/<16>.sock is the longest name: 31 bytes and a slash.
  const fitting = join(root, 'y'.repeat(107 - 32 - root.length - 1 - '/web'.length))
  expect(Buffer.byteLength(openInstanceDirectory('web', at(fitting)).path)).toBe(75)
  const tooLong = `${fitting}z`
  const error = refusal(() => openInstanceDirectory('web', at(tooLong)))
  expect(error.message).toContain('108 bytes, and the system allows 107')
  expect(error.fix).toContain(
    `SUPERVISE_RUNTIME_DIR to a directory whose path has at most ${Buffer.byteLength(fitting)} bytes`,
  )
  expect(existsSync(tooLong)).toBe(false)
})

test('openInstanceDirectory() counts bytes, not letters, and does not advise what cannot help', () => {
  const error = refusal(() => openInstanceDirectory('x'.repeat(64), at(join(root, 'ü'.repeat(20)))))
  expect(error.message).toContain(`${Buffer.byteLength(root) + 1 + 40 + 1 + 64 + 32} bytes`)
})

test('openInstanceDirectory() refuses a path with a file in it and names the file', () => {
  writeFileSync(join(root, 'file'), '')
  for (const path of [join(root, 'file'), join(root, 'file', 'a', 'b')]) {
    const error = refusal(() => openInstanceDirectory('web', at(path)))
    expect(error.message).toContain(`"${join(root, 'file')}" is not a directory`)
    expect(error.exitCode).toBe(EXIT.noPermission)
    expect(error.fix).toContain('SUPERVISE_RUNTIME_DIR')
  }
})

test.runIf(existsSync('/proc/self'))(
  'openInstanceDirectory() refuses a place where the system makes no directories',
  () => {
    for (const path of ['/proc/supervise', '/proc/self/supervise/run'])
      expect(refusal(() => openInstanceDirectory('web', at(path)))).toMatchObject({
        message: `Cannot use runtime directory "${path}": nothing can be made there`,
        fix: 'Set SUPERVISE_RUNTIME_DIR to a directory that you may write to.',
      })
  },
)

test('openInstanceDirectory() refuses a file, a symbolic link and a directory open to others', () => {
  writeFileSync(join(root, 'file'), '')
  mkdirSync(join(root, 'real'), { mode: 0o700 })
  symlinkSync(join(root, 'real'), join(root, 'link'))
  mkdirSync(join(root, 'wide'))
  chmodSync(join(root, 'wide'), 0o750)
  expect(refusal(() => openInstanceDirectory('file', at(root))).message).toContain('not a directory')
  expect(refusal(() => openInstanceDirectory('link', at(root))).message).toContain('symbolic link')
  const wide = refusal(() => openInstanceDirectory('wide', at(root)))
  expect(wide.message).toContain('mode 750')
  expect(wide.fix).toContain(`chmod 700 ${join(root, 'wide')}`)
  expect(wide.exitCode).toBe(EXIT.noPermission)
})

test.each([0o777, 0o770])('openInstanceDirectory() refuses a root of mode %o, unless it is sticky', (mode) => {
  chmodSync(root, mode)
  const error = refusal(() => openInstanceDirectory('web', at(root)))
  expect(error.code).toBe('UNSAFE_RUNTIME_DIRECTORY')
  expect(error.fix).toContain(`chmod go-w ${root}`)
  chmodSync(root, 0o1000 | mode)
  openInstanceDirectory('web', at(root))
})

test.runIf(isRoot)('openInstanceDirectory() refuses a root that belongs to another user', () => {
  chownSync(root, NOBODY, NOBODY)
  const error = refusal(() => openInstanceDirectory('web', at(root)))
  expect(error).toMatchObject({ code: 'UNSAFE_RUNTIME_DIRECTORY', exitCode: EXIT.noPermission })
  expect(error.message).toContain(`belongs to uid ${NOBODY}`)
})

test('openInstanceDirectory() trusts no directory that stood in the temporary one before', () => {
  const made = join(root, `supervise-${uid}`)
  if (runtimeRoot({ TMPDIR: root }) !== made) return
  mkdirSync(made)
  chmodSync(made, 0o755)
  expect(refusal(() => openInstanceDirectory('web', { TMPDIR: root })).code).toBe('UNSAFE_RUNTIME_DIRECTORY')
  rmSync(made, { recursive: true })
  symlinkSync(root, made)
  expect(refusal(() => openInstanceDirectory('web', { TMPDIR: root })).message).toContain('symbolic link')
})

test.runIf(isRoot)('openInstanceDirectory() refuses the directory of another user', () => {
  mkdirSync(join(root, 'web'), { mode: 0o700 })
  chownSync(join(root, 'web'), NOBODY, NOBODY)
  const error = refusal(() => openInstanceDirectory('web', at(root)))
  expect(error.message).toContain(`belongs to uid ${NOBODY}, and this is uid ${uid}`)
  expect(error.exitCode).toBe(EXIT.noPermission)
  expect(instanceNames(at(root))).toEqual([])
})

test.runIf(isRoot)('isStrangers() lets root use the instances of others, but not where everybody may write', () => {
  const directory = openInstanceDirectory('web', at(join(root, 'r')))
  expect(isStrangers(directory)).toBe(false)
  chownSync(directory.path, NOBODY, NOBODY)
  expect(isStrangers(directory)).toBe(false)
  chmodSync(root, 0o1777)
  expect(isStrangers(directory)).toBe(true)
})

const source = fileURLToPath(new URL('../../src/control/instance-directory.ts', import.meta.url))
const open = `
  import(process.argv[1]).then(({ openInstanceDirectory }) => openInstanceDirectory('web'))
    .catch((error) => console.log(JSON.stringify({ exitCode: error.exitCode, message: error.message, fix: error.fix })))`

test.runIf(isRoot)('openInstanceDirectory() says who may not write where', () => {
  chmodSync(root, 0o755)
  const text = execFileSync(process.execPath, ['-e', open, source], {
    uid: NOBODY,
    env: at(join(root, 'new')),
    encoding: 'utf8',
  })
  expect(JSON.parse(text)).toMatchObject({
    exitCode: 77,
    message: expect.stringContaining(`uid ${NOBODY} may not write there`),
  })
})

/** A file system of its own, seen by one process only. */
function onSmallDisk(mount: string, script: string): string | null {
  try {
    const command = `mount -t tmpfs ${mount} tmpfs "$0" && ${script}`
    const env = { ...process.env, ...at(root) }
    return execFileSync('unshare', ['--mount', 'sh', '-c', command, root, process.execPath, open, source], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch {
    return null
  }
}

test.runIf(isRoot)('openInstanceDirectory() says that the disk is full or read-only', ({ skip }) => {
  const full = onSmallDisk('-o size=4k,nr_inodes=1', '"$1" -e "$2" "$3"')
  const readOnly = onSmallDisk('-o ro', '"$1" -e "$2" "$3"')
  skip(full === null || readOnly === null, 'no mount namespaces here')
  expect(JSON.parse(full ?? '')).toMatchObject({ exitCode: 1, message: expect.stringContaining('the disk is full') })
  expect(JSON.parse(readOnly ?? '')).toMatchObject({ exitCode: 77, message: expect.stringContaining('read-only') })
})

test('instanceNames() lists instances in order, and nothing else', () => {
  expect(instanceNames(at(join(root, 'none')))).toEqual([])
  writeFileSync(join(root, 'file'), '')
  expect(instanceNames(at(join(root, 'file')))).toEqual([])
  for (const name of ['web', 'api']) openInstanceDirectory(name, at(root))
  mkdirSync(join(root, '.hidden'))
  symlinkSync(join(root, 'web'), join(root, 'link'))
  expect(instanceNames(at(root))).toEqual(['api', 'web'])
  expect(dirname(instanceDirectory('web', at(root)).controlSocket)).toBe(join(root, 'web'))
})

test('openInstanceDirectory() makes it whole also while supervisors that end remove it (S5)', async () => {
  const remove = `const fs = require('node:fs'); fs.writeFileSync(process.argv[1] + '/begun', '')
    for (;;) { try { fs.rmSync(process.argv[1] + '/web', { recursive: true, force: true }) } catch {} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1) }`
  const remover = spawn(process.execPath, ['-e', remove, root], { stdio: 'ignore' })
  onTestFinished(() => void remover.kill('SIGKILL'))
  await until(() => existsSync(join(root, 'begun')), 5_000, 'it removes')
  for (let count = 0; count < 2_000; count += 1) expect(openInstanceDirectory('web', at(root)).name).toBe('web')
})
