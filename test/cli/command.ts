// Runs the command as a shell would, in a pipe or on a pseudo-terminal, from its source.

import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** @default the command's source */
  readonly main?: string
  /** Sees the child as soon as it runs, for signals. */
  readonly onSpawn?: (child: ChildProcess) => void
  /** Sees what it writes, for what comes in between. */
  readonly onOutput?: (text: string, child: ChildProcess) => void
}

export function run(args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const { main = MAIN } = options
  return collect(spawn(process.execPath, [main, ...args], spawnOptions(options, {})), options)
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** On a pseudo-terminal, where stdout and stderr are one. */
export function runOnTerminal(args: readonly string[], size: TerminalSize, options: CommandOptions = {}): Promise<Ran> {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ')
  const command = `stty cols ${size.columns} rows ${size.rows}; exec ${words}`
  const child = spawn('script', ['-qec', command, '/dev/null'], spawnOptions(options, { TERM: 'xterm-256color' }))
  return collect(child, options)
}

function spawnOptions({ environment = {}, cwd }: CommandOptions, more: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '' } = process.env
  // Nothing of the environment of whoever runs the tests may change what they see.
  const env = { PATH, HOME, LANG: 'C.UTF-8', TZ: 'UTC', ...more, ...environment }
  return { env, cwd: cwd ?? process.cwd(), stdio: 'pipe' as const }
}

function collect(child: ChildProcess, { onSpawn, onOutput }: CommandOptions): Promise<Ran> {
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
      onOutput?.(text, child)
    })
  }
  onSpawn?.(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, ...texts }))
  })
}

const ESCAPE = '\u001b'

/** What stands on a terminal of this size after all of it was written. Knows what the command uses, and refuses the rest. */
export function screenAfter(text: string, { columns }: TerminalSize): readonly string[] {
  const lines: string[][] = [[]]
  let row = 0
  let column = 0
  const put = (character: string) => {
    if (column === columns) [row, column] = [row + 1, 0]
    const line = (lines[row] ??= [])
    while (line.length < column) line.push(' ')
    line[column] = character
    column += 1
  }
  // oxlint-disable-next-line no-control-regex
  for (const [part] of text.matchAll(/\u001b\[\??[0-9;]*[A-Za-z]|[^]/gu)) {
    const command = part.at(-1)
    if (part === '\n') row += 1
    else if (part === '\r') column = 0
    else if (!part.startsWith(ESCAPE)) put(part)
    else if (command === 'A') row -= Number(part.slice(2, -1))
    else if (command === 'J') [lines.length, lines[row]] = [row + 1, (lines[row] ?? []).slice(0, column)]
    else if (command !== 'm' && command !== 'l' && command !== 'h')
      throw new Error(`Not known: ${JSON.stringify(part)}`)
    if (row < 0) throw new Error('The cursor left the screen')
    lines[row] ??= []
  }
  return lines.map((line) => line.join('').trimEnd())
}
