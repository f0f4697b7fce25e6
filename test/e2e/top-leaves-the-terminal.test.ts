// `supervise top` on a pseudo-terminal: shows what there is, does what its keys say, and leaves the terminal as it was, whatever
// ends it.

import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { LAUNCHER, TEST_NODE } from '../support/home.ts'
import { childrenOf, commandOf, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

/** One `supervise top` on a terminal of its own. */
class Top {
  #text = ''
  readonly #pid: number
  readonly #closed: Promise<unknown>
  readonly press: (key: string) => void

  constructor(supervise: Supervise, columns: number) {
    // What the terminal's settings are after it has ended is the last word.
    const command = `stty rows 24 cols ${columns}; stty -g; ${TEST_NODE} ${LAUNCHER} top; echo "code $?"; stty -g`
    const env = { ...supervise.home.env, TERM: 'xterm' }
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env })
    this.#pid = child.pid ?? 0
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout.on('data', (chunk: Buffer) => (this.#text += chunk.toString()))
    this.#closed = new Promise((resolve) => child.once('close', resolve))
    this.press = (key) => void child.stdin.write(key)
  }

  async shows(pattern: RegExp): Promise<void> {
    const shown = () => stripVTControlCharacters(this.#text)
    await until(() => pattern.test(shown()), 15_000, `the screen shows ${pattern}`).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${shown().slice(-2_000)}`)
    })
  }

  /** Of the process itself. */
  signal(signal: NodeJS.Signals): void {
    // 0 would be the tests themselves.
    const pid = descendantsOf(this.#pid).find((one) => commandOf(one).endsWith(`${LAUNCHER} top`)) ?? Number.NaN
    expect(sendIfAlive(pid, signal)).toBe(true)
  }

  async mustHaveLeft(code: number): Promise<void> {
    await this.shows(new RegExp(`code ${code}\\b`))
    await this.#closed
    const settings = stripVTControlCharacters(this.#text).match(/^[0-9a-f]+(:[0-9a-f]+){10,}/gm) ?? []
    expect(settings).toHaveLength(2)
    expect(settings[1]).toBe(settings[0])
    // In and out of the other screen, and the cursor is back.
    const last = (escape: string) => this.#text.lastIndexOf(`\u001b[?${escape}`)
    expect(this.#text.indexOf('\u001b[?1049h')).toBeGreaterThan(-1)
    expect(last('1049l')).toBeGreaterThan(last('1049h'))
    expect(last('25h')).toBeGreaterThan(last('25l'))
  }
}

function descendantsOf(pid: number): readonly number[] {
  const children = childrenOf(pid)
  return children.concat(children.flatMap(descendantsOf))
}

it('shows, reloads after a yes, and leaves the terminal as before with q, Ctrl-C, signals, and when the supervisor dies', async () => {
  const port = await freePort()
  const args = [fixture('hello.js'), '-n', 'web', '-i', '2', '--port', String(port), ...QUICK]
  const supervise = await startSupervise(args)
  const before = await supervise.pids()
  const first = new Top(supervise, 100)
  await first.shows(/web +1 +serving/)
  first.press('r')
  await first.shows(/reload web\? y\/n/)
  first.press('y')
  await first.shows(/✓ web: .*generation 2/)
  expect(await supervise.pids()).not.toEqual(before)
  first.press('q')
  await first.mustHaveLeft(0)

  const endings = (['\u0003', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(async (ending) => {
    // So narrow that names are cut.
    const top = new Top(supervise, 20)
    await top.shows(/web +1 +serving/)
    if (ending === '\u0003') top.press(ending)
    return { ending, top }
  })
  for (const { ending, top } of await Promise.all(endings)) {
    if (ending !== '\u0003') top.signal(ending)
    await top.mustHaveLeft(0)
  }

  const piped = await supervise.cli('top')
  expect([piped.code, piped.stderr]).toEqual([2, expect.stringContaining('[NO_TERMINAL]')])

  const last = new Top(supervise, 80)
  await last.shows(/web +1 +serving/)
  supervise.signal('SIGKILL')
  await last.shows(/The supervisor does not answer/)
  last.press('q')
  await last.mustHaveLeft(0)
})
