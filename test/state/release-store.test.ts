import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  readReleases,
  RELEASES_SCHEMA,
  releasesFile,
  removeDrafts,
  writeReleases,
  type SavedReleases,
} from '../../src/state/release-store.ts'

const isRoot = process.getuid?.() === 0
let root: string
let file: string

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'releases-')))
  file = join(root, 'state', 'web', 'releases.json')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function stateOf(nextRelease: number): SavedReleases {
  const app = { nextRelease, active: 'blue', lastGood: 'r1', releases: [], rollout: null } as const
  return { schema: RELEASES_SCHEMA, apps: { web: app } }
}

const modeOf = (path: string) => lstatSync(path).mode & 0o7777
const filesBeside = () => readdirSync(dirname(file)).toSorted()

/** A file that somebody else left there. */
function leave(text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

describe('releasesFile()', () => {
  it('takes the first of the places that is given', () => {
    const all = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/xdg', HOME: '/home/u' }
    expect(releasesFile('web', all)).toBe('/var/lib/a/web/releases.json')
    expect(releasesFile('web', { ...all, STATE_DIRECTORY: '' })).toBe('/xdg/supervise/web/releases.json')
    expect(releasesFile('web', { HOME: '/home/u' })).toBe('/home/u/.local/state/supervise/web/releases.json')
    expect(releasesFile('web', { XDG_STATE_HOME: 'relative' })).toBe(
      join(homedir(), '.local/state/supervise/web/releases.json'),
    )
  })
})

describe('writeReleases()', () => {
  it('is read again as it was written, and leaves nothing else', () => {
    writeReleases(file, stateOf(3))
    writeReleases(file, stateOf(4))
    expect(readReleases(file)).toEqual({ kind: 'state', state: stateOf(4) })
    expect(filesBeside()).toEqual(['releases.json'])
  })

  it('lets only its owner read it, whatever the umask and the directory were', () => {
    mkdirSync(dirname(file), { recursive: true })
    chmodSync(dirname(file), 0o755)
    const umask = process.umask(0)
    try {
      writeReleases(file, stateOf(1))
    } finally {
      process.umask(umask)
    }
    expect([modeOf(file), modeOf(dirname(file))]).toEqual([0o600, 0o700])
  })

  it('keeps what it could not read beside it, each time (S4)', () => {
    leave('{"schema":99,"apps":{}}')
    writeReleases(file, stateOf(1))
    leave('garbage')
    writeReleases(file, stateOf(2))
    expect(filesBeside()).toEqual(['releases.json', 'releases.json.unusable', 'releases.json.unusable.2'])
    expect(readFileSync(`${file}.unusable`, 'utf8')).toBe('{"schema":99,"apps":{}}')
    expect(readFileSync(`${file}.unusable.2`, 'utf8')).toBe('garbage')
    expect(readReleases(file)).toEqual({ kind: 'state', state: stateOf(2) })
  })

  it('puts aside even a directory of that name', () => {
    mkdirSync(join(file, 'full'), { recursive: true })
    writeReleases(file, stateOf(1))
    expect(readReleases(file).kind).toBe('state')
    expect(filesBeside()).toEqual(['releases.json', 'releases.json.unusable'])
  })
})

it('removeDrafts() removes what a supervisor that was killed while it wrote has left, and nothing else', () => {
  removeDrafts(file)
  writeReleases(file, stateOf(1))
  const others = ['releases.json.unusable', 'releases.json.12.tmp.kept', 'other.json.12.tmp', 'events.jsonl']
  for (const name of [...others, 'releases.json.12.tmp', 'releases.json.4194304.tmp'])
    writeFileSync(join(dirname(file), name), '')
  removeDrafts(file)
  expect(filesBeside()).toEqual([...others, 'releases.json'].toSorted())
})

describe('readReleases()', () => {
  it('says that there is none', () => {
    expect(readReleases(file)).toEqual({ kind: 'none' })
  })

  it.each([
    ['', 'it is cut short'],
    [JSON.stringify(stateOf(1)).slice(0, 40), 'it is cut short'],
    ['\0\0\0\0', 'it is no JSON'],
    ['[]', 'it is no file of releases'],
    ['null', 'it is no file of releases'],
    ['{"schema":1}', 'it names no apps'],
    ['{"schema":1,"apps":[]}', 'it names no apps'],
    ['{"schema":1,"apps":{"web":null}}', 'what it says of "web" is not whole'],
    ['{"schema":1,"apps":{"web":{"nextRelease":2,"releases":[{"id":"r1"}]}}}', 'what it says of "web" is not whole'],
    ['{"schema":2,"apps":{}}', 'a newer supervisor wrote it (version 2, and this one knows 1)'],
    ['{"schema":3,"oldest":2,"apps":{}}', 'a newer supervisor wrote it (version 3, and this one knows 1)'],
    ['{"schema":0,"apps":{}}', 'it is of version 0, and this one knows 1'],
  ])('says what is wrong with %j (S4)', (text, problem) => {
    leave(text)
    expect(readReleases(file)).toEqual({ kind: 'unusable', problem })
  })

  it('says why it cannot be read', () => {
    mkdirSync(file, { recursive: true })
    expect(readReleases(file)).toEqual({ kind: 'unusable', problem: 'it cannot be read (EISDIR)' })
  })
})

const source = fileURLToPath(new URL('../../src/state/release-store.ts', import.meta.url))
const fill = `
  import(process.argv[1]).then(({ writeReleases, readReleases }) => {
    const fs = require('node:fs')
    const file = process.env.ROOT + '/web/releases.json'
    const state = (size) => ({ schema: 1, apps: { web: { nextRelease: size, releases: [], lastGood: 'x'.repeat(size) } } })
    writeReleases(file, state(10))
    let code = 'written'
    try { writeReleases(file, state(1e6)) } catch (error) { code = error.code }
    console.log(JSON.stringify({ code, read: readReleases(file), files: fs.readdirSync(process.env.ROOT + '/web') }))
  })`

it.runIf(isRoot)('writeReleases() leaves the old state when the disk is full (S4)', ({ skip }) => {
  let text: string
  try {
    const command = `mount -t tmpfs -o size=64k tmpfs "$0" && "$1" -e "$2" "$3"`
    text = execFileSync('unshare', ['--mount', 'sh', '-c', command, root, process.execPath, fill, source], {
      env: { ...process.env, ROOT: root },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch {
    return skip('no mount namespaces here')
  }
  expect(JSON.parse(text)).toEqual({
    code: 'ENOSPC',
    read: {
      kind: 'state',
      state: { schema: 1, apps: { web: { nextRelease: 10, releases: [], lastGood: 'x'.repeat(10) } } },
    },
    files: ['releases.json'],
  })
})
