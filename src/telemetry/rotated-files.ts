// The rotated files of one log file: compresses them and removes the oldest, one after another, aside from all else.

import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { codeOf } from './outlet.ts'
import { filesToRemove, isRotated, rotatedAmong, type RotatedFile, type RotationLimits } from './rotation.ts'

export class RotatedFiles {
  readonly #directory: string
  readonly #base: string
  readonly #onTidied: (error: string | null) => void
  readonly #stopping = new AbortController()
  #wanted: { readonly limits: RotationLimits; readonly currentBytes: number } | null = null
  #working: Promise<void> | null = null

  /** `onTidied` hears the system's error code, or null when all is well. */
  constructor(path: string, onTidied: (error: string | null) => void) {
    this.#directory = dirname(path)
    this.#base = basename(path)
    this.#onTidied = onTidied
  }

  /** Soon, and once for all that is asked for while it works. */
  tidy(limits: RotationLimits, currentBytes: number): void {
    if (this.#stopping.signal.aborted) return
    this.#wanted = { limits, currentBytes }
    this.#working ??= this.#work().finally(() => {
      this.#working = null
    })
  }

  /** What is being compressed stays as it was: the next supervisor goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#wanted !== null && !this.#stopping.signal.aborted) {
      const { limits, currentBytes } = this.#wanted
      this.#wanted = null
      try {
        // First of all: when lines come faster than they can be compressed, what would go anyway is not.
        await this.#removeOld(limits, currentBytes)
        if (limits.gzip) await this.#compressAll()
        await this.#removeOld(limits, currentBytes)
        this.#onTidied(null)
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#onTidied(codeOf(error))
      }
    }
  }

  async #removeOld(limits: RotationLimits, currentBytes: number): Promise<void> {
    const files = await this.#sizes(await this.#names())
    for (const name of filesToRemove(files, currentBytes, limits)) {
      await rm(join(this.#directory, name), { force: true })
      await rm(join(this.#directory, `${name}.gz`), { force: true })
    }
  }

  /** A rotation while it works sees to the file that it made, by asking again. */
  async #compressAll(): Promise<void> {
    for (const name of await this.#names()) {
      if (this.#wanted !== null || this.#stopping.signal.aborted) return
      if (!name.endsWith('.gz')) await this.#compress(join(this.#directory, name))
    }
  }

  async #compress(path: string): Promise<void> {
    const unfinished = `${path}.gz.tmp`
    try {
      const { mode, mtime } = await stat(path)
      const target = createWriteStream(unfinished, { mode })
      await pipeline(createReadStream(path), createGzip(), target, { signal: this.#stopping.signal })
      // By this time a reader knows whether it is too old for what is asked.
      await utimes(unfinished, mtime, mtime)
      await rename(unfinished, `${path}.gz`)
      await rm(path, { force: true })
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  }

  async #names(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#directory)
      await this.#removeUnfinished(names)
      return rotatedAmong(names, this.#base)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  /** Of a supervisor that died while it compressed. */
  async #removeUnfinished(names: readonly string[]): Promise<void> {
    const ending = '.gz.tmp'
    const left = names.filter((name) => name.endsWith(ending) && isRotated(name.slice(0, -ending.length), this.#base))
    for (const name of left) await rm(join(this.#directory, name), { force: true })
  }

  async #sizes(names: readonly string[]): Promise<readonly RotatedFile[]> {
    const sizes = await Promise.all(names.map((name) => stat(join(this.#directory, name)).catch(() => null)))
    return names.flatMap((name, index) => {
      const found = sizes[index]
      return found === null || found === undefined ? [] : [{ name, bytes: found.size }]
    })
  }
}
