// The shell that is the first process of a container, with a few words in the place of the supervisor. That it waits for orphans
// only the first process of a container can show: test/e2e/containers.test.ts.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SCRIPT } from '../../src/control/first-process.ts'
import { until } from '../support/until.ts'

const SHELLS = ['dash', 'bash'].filter((shell) => existsSync(`/bin/${shell}`))

/** `words` run as the supervisor would, with `mark` in `$1`. */
function first(shell: string, words: string) {
  const directory = mkdtempSync(join(tmpdir(), 'first-'))
  const mark = join(directory, 'mark')
  const child = spawn(`/bin/${shell}`, ['-c', SCRIPT, 'supervise', 'sh', '-c', words, 'words', mark], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  child.stdin.end('typed\n')
  const marks = () => (existsSync(mark) ? readFileSync(mark, 'utf8').split('\n').filter(Boolean) : [])
  const marked = (line: string) => until(() => marks().includes(line), 5_000, line)
  const ended = once(child, 'exit').then(([code]: readonly unknown[]) => code)
  return { child, marks, marked, ended }
}

describe.each(SHELLS)('the first process, as %s', (shell) => {
  it('ends with the exit code of the supervisor, which has its input', async () => {
    const { ended, marks } = first(shell, 'read -r line; echo "$line" >>"$1"; exit 5')
    expect(await ended).toBe(5)
    expect(marks()).toEqual(['typed'])
  })

  const SAYS = 'trap "echo HUP >>$1" HUP; trap "echo USR2 >>$1" USR2; echo "up $SUPERVISE_FIRST_PROCESS" >>"$1"'
  const WAITS = 'while :; do sleep 0.05; done'

  it('passes signals on; one that dies while it is to end is brought back once, and told so', async () => {
    const { child, ended, marks, marked } = first(shell, `${SAYS}; ${WAITS}`)
    await marked('up 0')
    child.kill('SIGHUP')
    await marked('HUP')
    child.kill('SIGUSR2')
    await marked('USR2')
    child.kill('SIGTERM')
    await marked('up 1 TERM')
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
    expect(marks()).toEqual(['up 0', 'HUP', 'USR2', 'up 1 TERM'])
  })

  it('tells the next one what it was sent while there was none', async () => {
    const dies = 'case $SUPERVISE_FIRST_PROCESS in 0) echo dead >>"$1"; kill -KILL $$ ;; esac'
    const { child, ended, marks, marked } = first(shell, `${dies}; ${SAYS}; exit 0`)
    await marked('dead')
    child.kill('SIGHUP')
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    const [, told] = marks()
    // It may have been there by then, for the one or for both.
    expect(['up 1 HUP TERM', 'up 1 TERM', 'up 1']).toContain(told)
  })

  it('brings a supervisor back that was killed, and says how many died; ends when six in a row did', async () => {
    const { ended, marks } = first(shell, 'echo "$SUPERVISE_FIRST_PROCESS" >>"$1"; kill -KILL $$')
    expect(await ended).toBe(137)
    expect(marks()).toEqual(['0', '1', '2', '3', '4', '5'])
  })
})
