// What is remembered of releases may be lost, broken or not writable: workers serve on, what is asked for is done and says that
// it could not be remembered, and a start finds its way.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome, type Home } from '../support/home.ts'
import { eventsOf, untilEvent } from '../support/instance-facts.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

async function makeScene(home = makeHome()) {
  const port = await freePort()
  const release = (version: string) => {
    const directory = join(home.work, 'releases', version)
    makeRelease(directory, { fixture: 'hello.js', version })
    return directory
  }
  const args = [join(release('1'), 'app.js'), '-n', 'web', '-i', '1', '--port', String(port), ...QUICK]
  const start = () => startSupervise(args, { home })
  const version = async () => String((await get({ host: '127.0.0.1', port })).headers['x-release'])
  return { home, args, start, release, version, file: fileOf(home) }
}

function fileOf(home: Home): string {
  return join(home.directory, 'state/supervise/web/releases.json')
}

/** What there is of releases; the directory has more in it. */
function keptFiles(file: string): readonly string[] {
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith('releases'))
    .toSorted()
}

describe('a file of releases', () => {
  it('that was lost, cut or written by a newer supervisor costs the memory and nothing else, and is kept (S4)', async () => {
    const { start, release, version, file } = await makeScene()
    const first = await start()
    mustExit(await first.cli('deploy', 'web', release('2')), 0)
    mustExit(await first.cli('promote', 'web'), 0)
    rmSync(dirname(file), { recursive: true })
    const deleted = await untilEvent(first, 'releasesDeleted')
    expect(deleted.text).toBe(`${file} was deleted, and is there again`)
    await first.stop()

    // What was put back is whole: the release that was last good is what starts.
    const second = await start()
    expect(await version()).toBe('2')
    expect((await untilEvent(second, 'startsRelease')).text).toMatch(/^starts r2 2 from .*releases\/2/)
    await second.stop()

    const whole = readFileSync(file, 'utf8')
    const broken = [
      [whole.slice(0, whole.length / 2), /it is cut short/],
      [
        whole.replace('"schema":1', '"schema":7').replace('"oldest":1', '"oldest":7'),
        /a newer supervisor wrote it \(version 7, and this one knows 1\)/,
      ],
      [null, /it cannot be read \(EISDIR\)/],
    ] as const
    for (const [text, message] of broken) {
      rmSync(file, { force: true })
      if (text === null) mkdirSync(file)
      else writeFileSync(file, text)
      // oxlint-disable-next-line no-await-in-loop -- one supervisor after the other
      const supervise = await start()
      // Among those of the supervisors before it.
      const told = (await eventsOf(supervise, 'releasesUnusable')).map(({ text: words }) => words)
      expect(told.at(-1)).toMatch(message)
      expect(await version()).toBe('1')
      expect(readdirSync(dirname(file)).filter((name) => name === 'releases.json')).toHaveLength(1)
      if (text === null) mustExit(await supervise.cli('deploy', 'web', release('2')), 0)
      await supervise.stop()
    }
    expect(keptFiles(file)).toEqual(['releases.json', 'releases.json.unusable'])
  })

  it('names a release whose directory is gone: what is typed starts, as a release of its own, and is remembered (R14)', async () => {
    const { home, start, release, version } = await makeScene()
    const first = await start()
    mustExit(await first.cli('deploy', 'web', release('2'), '--strategy', 'rolling'), 0)
    await first.stop()
    rmSync(join(home.work, 'releases/2'), { recursive: true })
    const second = await start()
    const { text } = await untilEvent(second, 'startsRelease')
    expect(text).toMatch(
      /^r2 2, the release that was last good, is no longer at .*releases\/2; starts .*releases\/1\/app.js as r3$/,
    )
    expect(await version()).toBe('1')
    const { releases }: { releases: { release: string; role: string }[] } = JSON.parse(
      (await second.cli('history', 'web', '--json')).stdout,
    )
    expect(releases.map(({ release: id, role }) => [id, role])).toEqual([
      ['r1', null],
      ['r2', null],
      ['r3', 'active'],
    ])
    await second.stop()
  })

  it.runIf(isRoot)(
    'on a full disk: a deploy is done and says that it is not remembered, once as an event (S4)',
    async () => {
      const home = makeHome()
      const state = join(home.directory, 'state')
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', state])
      onTestFinished(() => void execFileSync('umount', ['-l', state]))
      const { start, release, version, file } = await makeScene(home)
      const supervise = await start()
      const filler = join(state, 'filler')
      expect(() => writeFileSync(filler, Buffer.alloc(1 << 20))).toThrow(/ENOSPC/)
      const deployed = await supervise.cli('deploy', 'web', release('2'))
      mustExit(deployed, 0)
      expect(deployed.stdout).toMatch(/r2 serves; .*not remembered: .*cannot be written, since the disk is full/)
      const flipped = await supervise.cli('flip', 'web')
      mustExit(flipped, 0)
      expect(flipped.stdout).toContain('not remembered')
      expect(await version()).toBe('1')
      expect(await eventsOf(supervise, 'releasesNotWritten')).toHaveLength(1)
      rmSync(filler)
      await untilEvent(supervise, 'releasesWritten')
      expect(keptFiles(file)).toEqual(['releases.json'])
      const again = await supervise.cli('flip', 'web')
      expect(again.stdout).not.toContain('not remembered')
      await supervise.stop()
    },
  )

  it.runIf(isRoot)(
    'in a directory that this user may not write, and a release that it may not read: both are told (S4)',
    async () => {
      const { home, args, release, version } = await makeScene()
      const [second, secret] = [release('2'), release('3')]
      execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, home.directory])
      const state = join(home.directory, 'state/supervise/default')
      const cli = (...words: string[]) => home.cli(words, { uid: NOBODY })
      mustExit(await cli('start', ...args, '-d'), 0)
      // Of somebody else: an own directory that nobody may write in is one that it may change.
      execFileSync('chown', ['0:0', state])
      chmodSync(state, 0o755)
      chmodSync(secret, 0o000)
      const refused = await cli('deploy', 'web', secret)
      mustExit(refused, 77)
      expect(refused.stderr).toMatch(/uid 65534, which the supervisor runs as, may not read it/)
      expect(refused.stderr).toMatch(/Try: Change its permissions/)
      const deployed = await cli('deploy', 'web', second)
      mustExit(deployed, 0)
      expect(deployed.stdout).toMatch(/not remembered: .*cannot be written, since uid 65534 may not write there/)
      expect(await version()).toBe('2')
      expect(await eventsOf(home, 'releasesNotWritten')).toHaveLength(1)
      mustExit(await cli('stop', '--all'), 0)
      await until(() => home.processes().length === 0, 5_000, 'nothing is left')
    },
  )
})
