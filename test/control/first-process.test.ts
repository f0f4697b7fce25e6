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

  it('passes signals on, and ends with 128 and the number of the signal that ended a supervisor that was to end', async () => {
    const { child, ended, marked } = first(
      shell,
      'trap "echo HUP >>$1" HUP; trap "echo USR2 >>$1" USR2; echo up >>"$1"; while :; do sleep 0.05; done',
    )
    await marked('up')
    child.kill('SIGHUP')
    await marked('HUP')
    child.kill('SIGUSR2')
    await marked('USR2')
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
  })

  it('brings a supervisor back that was killed, and says how many died; ends when six in a row did', async () => {
    const { ended, marks } = first(shell, 'echo "$SUPERVISE_FIRST_PROCESS" >>"$1"; kill -KILL $$')
    expect(await ended).toBe(137)
    expect(marks()).toEqual(['0', '1', '2', '3', '4', '5'])
  })
})
