// An app that is a program and no script of Node: where the program is, what it is given where nothing is said, and which
// options mean nothing to it, since there is no agent in its processes.

import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { AppConfig } from './app-config.ts'
import { codeOf } from './failure.ts'
import type { OptionKey } from './options.ts'
import { quote } from './parser.ts'
import type { Settings } from './settings.ts'

export type AddMistake = (key: OptionKey, problem: string) => void

/** The program's absolute path, whether it can be run or not. */
export function programOf(
  settings: Settings,
  env: Readonly<Record<string, string>>,
  misplace: (key: 'command', problem: string) => void,
): string {
  const [written = ''] = settings.get('command') ?? []
  const program = written.includes('/') ? written : findInPath(written, env['PATH'] ?? '')
  if (program === null) {
    misplace('command', `${quote(written)} is not in PATH; install it, or write its path, such as "./${written}"`)
    return written
  }
  const problem = problemOfProgram(program)
  if (problem !== null) misplace('command', problem)
  return program
}

/** As a shell does; a file that may not be run is better than none, since that can be told. */
function findInPath(name: string, searchPath: string): string | null {
  const candidates = searchPath
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
  return (
    candidates.find((candidate) => problemOfProgram(candidate) === null) ??
    candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile()) ??
    null
  )
}

/** Why it cannot be run, in words that follow a place; null when it can. */
function problemOfProgram(program: string): string | null {
  try {
    if (statSync(program).isDirectory()) return `${quote(program)} is a directory; name the program in it`
    accessSync(program, constants.X_OK)
    return null
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return `${quote(program)} does not exist`
    if (code === 'EACCES') return `${quote(program)} may not be run by this user (${code}); \`chmod +x\` allows it`
    return `${quote(program)} cannot be run (${code})`
  }
}

/** What differs from a script where the configuration says nothing. */
export function optionsOfCommand(settings: Settings): Partial<AppConfig> {
  const [, ...args] = settings.get('command') ?? []
  const isSet = (key: OptionKey): boolean => settings.layerOf(key) !== null
  return {
    args,
    // Nobody but the program knows how many processes or threads of its own it has.
    ...(!isSet('workers') && { workers: 1 }),
    // Its socket listens before it runs, so that says nothing.
    ...(!isSet('ready') && { ready: { by: 'time', afterMs: settings.get('minReady') } }),
    // What drains cannot be asked to come back.
    maxSurge: { percent: 100 },
    strategy: 'rolling',
    hangTimeoutMs: 0,
    releaseHeader: null,
  }
}

/** Options of a second group, which there is with strategy "blue-green" alone. */
export const OF_STANDBY: readonly OptionKey[] = [
  'autoPromote',
  'bake',
  'bakeMinRequests',
  'maxErrorRatio',
  'abortDelay',
  'rollbackWindow',
  'progressDeadline',
  'preview',
  'groupHeader',
  'smoke',
]

/** They speak of Node, or need an agent that sees requests. */
export const NEED_AGENT: readonly OptionKey[] = [
  'nodeArgs',
  'node',
  'hangTimeout',
  'liveness.http',
  'drainSpread',
  'maxRequests',
  'maxRequestsPerConnection',
  'maxSurge',
  'slots',
  'loansPerSlot',
  'heapSnapshotNearLimit',
  'slo',
  'metrics.merge',
  'tracing.otlp',
  'tracing.ratio',
  'releaseHeader',
  // The same of a second group, which only an agent could keep from the traffic.
  ...OF_STANDBY,
]

/** What is right by itself and wrong with a command, or without one. */
export function checkCommand(settings: Settings, add: AddMistake): void {
  const isSet = (key: OptionKey): boolean => settings.layerOf(key) !== null
  if (!isSet('command')) {
    if (isSet('listen')) add('listen', 'does nothing without a command; a script of Node opens its ports by itself')
    return
  }
  if (isSet('script')) add('command', 'cannot stand beside script; leave one of them out')
  if (isSet('args')) add('args', 'does nothing with a command; write the arguments behind the program')
  for (const key of NEED_AGENT.filter(isSet)) add(key, 'does nothing with a command, which has no agent; leave it out')
  if (isSet('strategy') && settings.get('strategy') !== 'rolling')
    add(
      'strategy',
      '"blue-green" needs an agent that keeps a release from the traffic; leave it out, or write "rolling"',
    )
  if (isSet('listen') && isSet('port')) add('port', 'does nothing with listen, which sets PORT; leave it out')
  checkReady(settings, add)
}

function checkReady(settings: Settings, add: AddMistake): void {
  if (settings.layerOf('ready') === null) return
  const ready = settings.get('ready')
  const allowed = 'write { "after": "2s" } or { "http": "/readyz" }'
  if (ready.by === 'listen')
    add('ready', `"listen" cannot be seen of a command: its socket listens already; ${allowed}`)
  if (ready.by === 'message') add('ready', `"message" needs Node, and this is a command; ${allowed}`)
  if (ready.by === 'http' && settings.layerOf('listen') === null && settings.layerOf('port') === null)
    add('ready', 'has a path and no address to ask it at; write listen or port, too')
}
