// Watching an app's files: a change, then quiet, is one reload that names the file.

import { basename, relative, sep } from 'node:path'
import type { FSWatcher } from 'chokidar'
import type { WatchConfig } from '../config/app-config.ts'
import type { Clock } from './clock.ts'

/** Folders that change without the code having changed, or that would take minutes to watch. */
const IGNORED_FOLDERS = new Set(['node_modules', 'coverage', 'tmp', 'temp', 'logs', '__pycache__'])
const IGNORED_FILES = /\.(log|pid|sock|swp|swx|tmp|bak|tsbuildinfo)$|~$|^#.*#$/

export class SourceWatch {
  readonly #config: WatchConfig
  readonly #directory: string
  readonly #clock: Clock
  readonly #onChange: (file: string) => void
  #watcher: FSWatcher | null = null
  #isClosed = false
  #cancelQuiet: () => void = () => {}
  #first: string | null = null

  /** `directory` is where relative names are shown from. */
  constructor(config: WatchConfig, directory: string, clock: Clock, onChange: (file: string) => void) {
    this.#config = config
    this.#directory = directory
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Resolves when changes are seen from now on. */
  async open(): Promise<void> {
    const { watch } = await import('chokidar')
    if (this.#isClosed) return
    const watcher = watch([...this.#config.paths], {
      ignoreInitial: true,
      ignored: (path) => this.#isIgnored(path),
      // Editors write in steps; a file is read when it is whole.
      awaitWriteFinish: false,
      persistent: true,
    })
    this.#watcher = watcher
    // A folder alone changes no code; what comes into it is told of file by file.
    watcher.on('all', (event, path) => (event.endsWith('Dir') ? undefined : this.#changed(path)))
    // A folder that vanished or cannot be read is seen again when it is back.
    watcher.on('error', () => undefined)
    await new Promise<void>((resolve) => {
      watcher.on('ready', resolve)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelQuiet()
    await this.#watcher?.close()
  }

  #changed(path: string): void {
    this.#first ??= relative(this.#directory, path) || path
    this.#cancelQuiet()
    this.#cancelQuiet = this.#clock.wakeAt(this.#clock.now() + this.#config.quietMs, () => {
      const file = this.#first ?? path
      this.#first = null
      this.#onChange(file)
    })
  }

  #isIgnored(path: string): boolean {
    const { paths, ignore } = this.#config
    if (paths.includes(path)) return false
    const name = basename(path)
    if (ignore.some((ignored) => path === ignored || path.startsWith(ignored + sep) || name === ignored)) return true
    // Whoever names a folder wants it watched, whatever it and those around it are called.
    const root = innermost(paths, path)
    if (root === null) return false
    const parts = relative(root, path).split(sep)
    return IGNORED_FILES.test(name) || parts.some((part) => part.startsWith('.') || IGNORED_FOLDERS.has(part))
  }
}

function innermost(folders: readonly string[], path: string): string | null {
  const around = folders.filter((folder) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
  return around.toSorted((one, other) => other.length - one.length)[0] ?? null
}
