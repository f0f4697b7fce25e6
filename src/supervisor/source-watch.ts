// Watching an app's files: a change, then quiet, is one reload that names the file.

import type { Stats } from 'node:fs'
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
  #isReady = false

  /** `directory` is where relative names are shown from. */
  constructor(config: WatchConfig, directory: string, clock: Clock, onChange: (file: string) => void) {
    this.#config = config
    this.#directory = directory
    this.#clock = clock
    this.#onChange = onChange
  }

  /** The first file of a change that is waiting for its quiet time. */
  get pending(): string | null {
    return this.#first
  }

  /**
   * Resolves when changes are seen from now on. With a time, by the wall clock, what has changed since then is seen as well,
   * but for what was deleted.
   */
  async open(since: number | null = null): Promise<void> {
    const { watch } = await import('chokidar')
    if (this.#isClosed) return
    const watcher = watch([...this.#config.paths], {
      ignoreInitial: since === null,
      alwaysStat: since !== null,
      ignored: (path) => this.#isIgnored(path),
      // Editors write in steps; a file is read when it is whole.
      awaitWriteFinish: false,
      persistent: true,
    })
    this.#watcher = watcher
    // A folder alone changes no code; what comes into it is told of file by file.
    watcher.on('all', (event, path, stats) => {
      if (event.endsWith('Dir')) return
      if (this.#isReady || since === null || (stats !== undefined && isYounger(stats, since))) this.#changed(path)
    })
    // A folder that vanished or cannot be read is seen again when it is back.
    watcher.on('error', () => undefined)
    await new Promise<void>((resolve) => {
      watcher.on('ready', resolve)
    })
    this.#isReady = true
  }

  /** A change that somebody else has seen, by the name that it is shown with. */
  note(file: string): void {
    if (this.#isClosed) return
    const first = (this.#first ??= file)
    this.#cancelQuiet()
    this.#cancelQuiet = this.#clock.wakeAt(this.#clock.now() + this.#config.quietMs, () => {
      this.#first = null
      this.#onChange(first)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelQuiet()
    await this.#watcher?.close()
  }

  #changed(path: string): void {
    this.note(relative(this.#directory, path) || path)
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

/** What is told of a change comes a little after it. */
const TELLING_MS = 500

/** The time of the inode as well: a file that was moved here has kept its own. */
function isYounger({ mtimeMs, ctimeMs }: Pick<Stats, 'mtimeMs' | 'ctimeMs'>, since: number): boolean {
  return Math.max(mtimeMs, ctimeMs) > since - TELLING_MS
}

function innermost(folders: readonly string[], path: string): string | null {
  const around = folders.filter((folder) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
  return around.toSorted((one, other) => other.length - one.length)[0] ?? null
}
