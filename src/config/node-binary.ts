// A Node binary that an app is to run with: whether it can be used, and which file it really is.

import { execFile } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { codeOf } from './failure.ts'
import { isFile } from './script.ts'
import { quote } from './parser.ts'

/** The oldest that workers run with; the launcher asks the same of the supervisor. */
const OLDEST = [22, 22] as const

const ANSWER_MS = 10_000

export type NodeBinary =
  | { readonly ok: true; readonly execPath: string; readonly version: string }
  /** In words that follow a place: `"/opt/node" does not exist`. */
  | { readonly ok: false; readonly problem: string }

/** Asks the binary itself, since what a path leads to may be a link, or a shim that chooses among several. */
export async function askNode(file: string, environment: Readonly<Record<string, string>>): Promise<NodeBinary> {
  const problem = problemOfFile(file)
  if (problem !== null) return { ok: false, problem }
  const version = await answerOf(file, ['--version'], environment)
  const match = /^v(\d+)\.(\d+)\.\d+\S*$/.exec(version ?? '')
  if (match === null)
    return { ok: false, problem: `${quote(file)} is not Node: \`--version\` has no answer that Node gives` }
  if (isTooOld(Number(match[1]), Number(match[2]))) {
    const oldest = OLDEST.join('.')
    return { ok: false, problem: `${quote(file)} is Node ${version?.slice(1)}, and workers need ${oldest} or later` }
  }
  const execPath = await answerOf(file, ['-p', 'process.execPath'], environment)
  if (execPath?.startsWith('/') !== true)
    return { ok: false, problem: `${quote(file)} does not run a line of JavaScript` }
  return { ok: true, execPath, version: version ?? '' }
}

function isTooOld(major: number, minor: number): boolean {
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}

function problemOfFile(file: string): string | null {
  try {
    if (statSync(file).isDirectory()) {
      const likely = ['node', 'bin/node'].map((name) => `${file}/${name}`).find(isFile)
      return `${quote(file)} is a directory; name the binary in it${likely === undefined ? '' : `, ${quote(likely)}`}`
    }
    accessSync(file, constants.X_OK)
    return null
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return `${quote(file)} does not exist`
    return `${quote(file)} cannot be run by this user (${code})`
  }
}

/** Its first line; null when it failed, or said nothing in time. */
function answerOf(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string | null> {
  // Options for the app could make it load things, or say more than was asked.
  const { NODE_OPTIONS: _options, ...env } = environment
  return new Promise((resolve) => {
    const options = { env, timeout: ANSWER_MS, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 } as const
    const child = execFile(file, args, options, (error, stdout) =>
      resolve(error === null ? (stdout.split('\n')[0] ?? '').trim() : null),
    )
    child.stdin?.end()
  })
}
