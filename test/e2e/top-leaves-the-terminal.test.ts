// `supervise top` on a pseudo-terminal: shows what there is, does what its keys say, and leaves the terminal as it was.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { LAUNCHER, TEST_NODE } from '../support/home.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

it('shows, reloads after a yes, and ends with q on a terminal that is as before', async () => {
  const port = await freePort()
  const args = [fixture('hello.js'), '-n', 'web', '-i', '2', '--port', String(port), ...QUICK]
  const supervise = await startSupervise(args)
  const before = await supervise.pids()
  // What the terminal's settings are after it has ended is the last word.
  const command = `stty rows 24 cols 100; stty -g; ${TEST_NODE} ${LAUNCHER} top; echo "code $?"; stty -g`
  const child = spawn('script', ['-qefc', command, '/dev/null'], { env: { ...supervise.home.env, TERM: 'xterm' } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const shows = (pattern: RegExp) =>
    until(() => pattern.test(stripVTControlCharacters(text)), 10_000, `the screen shows ${pattern}`)

  await shows(/web +1 +serving/)
  child.stdin.write('r')
  await shows(/reload web\? y\/n/)
  child.stdin.write('y')
  await shows(/✓ web: .*generation 2/)
  expect(await supervise.pids()).not.toEqual(before)
  child.stdin.write('q')
  await shows(/code 0/)
  await closed
  const settings = stripVTControlCharacters(text).match(/^[0-9a-f]+(:[0-9a-f]+){10,}/gm) ?? []
  expect(settings).toHaveLength(2)
  expect(settings[1]).toBe(settings[0])
  // In and out of the other screen, and the cursor is back.
  expect(text.indexOf('\u001b[?1049h')).toBeGreaterThan(-1)
  expect(text.lastIndexOf('\u001b[?1049l')).toBeGreaterThan(text.lastIndexOf('\u001b[?1049h'))
  expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'))

  const piped = await supervise.cli('top')
  expect([piped.code, piped.stderr]).toEqual([2, expect.stringContaining('[NO_TERMINAL]')])
  await supervise.stop()
})
