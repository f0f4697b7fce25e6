// Installations of supervise beside this checkout, built from it with something changed: another version, another format of
// its state, or one that breaks at a certain step.

import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TEST_NODE, type CliResult, type Home } from './home.ts'
import { ROOT } from './releases.ts'

/** In a file of `src/`, what is replaced by what: a text that is not there is an error. */
export interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface InstallationOptions {
  readonly version: string
  readonly changes?: readonly Change[]
}

const BUNDLE = `import('./scripts/bundle.ts').then(async ({ bundleCommand, bundleAgent }) => {
  await bundleCommand('dist/cli')
  await bundleAgent('dist/agent')
})`

export class Installation {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  get launcher(): string {
    return join(this.directory, 'bin/supervise.js')
  }

  /** Runs its command to its end. */
  cli(home: Home, args: readonly string[]): Promise<CliResult> {
    const began = performance.now()
    const child = spawn(TEST_NODE, [this.launcher, ...args], {
      cwd: home.work,
      env: home.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout, stderr, tookMs: Math.round(performance.now() - began) }),
      )
    })
  }

  /** As a package manager does it: another installation is where this one was. */
  replaceBy(other: Installation): void {
    renameSync(this.directory, `${this.directory}.was-${Math.round(performance.now())}`)
    cpSync(other.directory, this.directory, { recursive: true, verbatimSymlinks: true })
  }
}

/** Takes about a second. */
export function install(directory: string, { version, changes = [] }: InstallationOptions): Installation {
  mkdirSync(directory, { recursive: true })
  for (const part of ['src', 'scripts', 'bin', 'package.json'])
    cpSync(join(ROOT, part), join(directory, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  change(directory, {
    file: 'package.json',
    from: /"version": "[^"]+"/.exec(read(directory, 'package.json'))?.[0] ?? '',
    to: `"version": "${version}"`,
  })
  for (const each of changes) change(directory, { ...each, file: `src/${each.file}` })
  const { status, stderr } = spawnSync(TEST_NODE, ['-e', BUNDLE], { cwd: directory, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot build ${directory}: ${stderr}`)
  for (const part of ['cli', 'agent'])
    writeFileSync(join(directory, 'dist', part, 'package.json'), '{ "type": "commonjs" }\n')
  return new Installation(directory)
}

/** Formats that are one version further: of the state, of the releases, and of what workers say. */
export const NEWER_FORMATS: readonly Change[] = [
  { file: 'state/instance-state.ts', from: 'STATE_SCHEMA = 2', to: 'STATE_SCHEMA = 3' },
  { file: 'state/release-store.ts', from: 'RELEASES_SCHEMA = 1', to: 'RELEASES_SCHEMA = 2' },
  { file: 'protocol/messages.ts', from: 'PROTOCOL_VERSION = 1', to: 'PROTOCOL_VERSION = 2' },
]

const SUCCESSION = 'control/succession.ts'
const AT_START = "this.#tell({ type: 'prepared' })"
const AT_THE_END = 'this.#isOver = true'

/** Each breaks at one step of taking over, and not before. */
export const BROKEN = {
  syntaxError: [
    { file: 'cli/main.ts', from: 'endQuietlyWithoutReader()\n', to: "new Function('this is no JavaScript')\n" },
  ],
  exitsBeforeReady: [{ file: SUCCESSION, from: AT_START, to: 'process.exit(9)' }],
  hangsBeforeReady: [{ file: SUCCESSION, from: AT_START, to: '' }],
  throwsAfterGo: [
    {
      file: 'control/run.ts',
      from: '  const left = findLeftFiles(directory)',
      to: "  if (go !== null) throw new Error('broken here')\n  const left = findLeftFiles(directory)",
    },
  ],
  diesWithEverything: [{ file: SUCCESSION, from: AT_THE_END, to: "process.kill(process.pid, 'SIGKILL')" }],
  hangsWithEverything: [{ file: SUCCESSION, from: AT_THE_END, to: 'return' }],
} as const satisfies Record<string, readonly Change[]>

/** Takes a second longer to have everything. */
export const SLOW: readonly Change[] = [
  {
    file: 'control/run.ts',
    from: 'await manager.takeOver()\n',
    to: 'await new Promise((done) => setTimeout(done, 1000))\n    await manager.takeOver()\n',
  },
]

function change(directory: string, { file, from, to }: Change): void {
  const text = read(directory, file)
  if (from === '' || !text.includes(from)) throw new Error(`Cannot change ${file}: there is no "${from}" in it`)
  writeFileSync(
    join(directory, file),
    text.replace(from, () => to),
  )
}

function read(directory: string, file: string): string {
  return readFileSync(join(directory, file), 'utf8')
}
