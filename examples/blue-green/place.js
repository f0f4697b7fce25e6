// Where the demo lives: a directory, a port and a supervisor of its own, none of which is left when it ends.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SUPERVISE = fileURLToPath(new URL('../../bin/supervise.js', import.meta.url))

export class Place {
  directory = mkdtempSync(join(tmpdir(), 'bg-'))
  #env
  #running = null

  constructor() {
    for (const part of ['run', 'state']) mkdirSync(join(this.directory, part), { mode: 0o700 })
    cpSync(join(HERE, 'releases'), join(this.directory, 'releases'), { recursive: true })
    cpSync(join(HERE, 'supervise.config.js'), join(this.directory, 'supervise.config.js'))
    const { STATE_DIRECTORY: _systemd, SUPERVISE_INSTANCE: _another, ...env } = process.env
    const [runtime, state] = [join(this.directory, 'run'), join(this.directory, 'state')]
    this.#env = { ...env, SUPERVISE_RUNTIME_DIR: runtime, XDG_STATE_HOME: state }
  }

  /** A copy of release 3 that is broken in this way; answers its directory, from here. */
  makeBroken(how) {
    const release = join('releases', `3-${how}`)
    cpSync(join(HERE, 'releases/3-broken'), join(this.directory, release), { recursive: true })
    writeFileSync(join(this.directory, release, 'broken.txt'), `${how}\n`)
    return release
  }

  /** Runs the command here, to its exit code. */
  async run(args, output = 'inherit') {
    // Ctrl-C reaches the demo alone: it lets the command end, so that it knows what there is to be removed.
    const options = { cwd: this.directory, env: this.#env, stdio: ['ignore', output, output], detached: true }
    const child = spawn(process.execPath, [SUPERVISE, ...args], options)
    this.#running = { isStart: args[0] === 'start', child, ended: once(child, 'close') }
    const [code] = await this.#running.ended
    this.#running = null
    return code
  }

  /** Ends the supervisor and all of its workers, and leaves nothing behind. */
  async remove() {
    if (this.#running !== null) {
      if (!this.#running.isStart) this.#running.child.kill('SIGINT')
      await this.#running.ended
    }
    // Now: nobody is asking any more. When none runs, there is nothing to be stopped.
    await this.run(['stop', '--all', '--now'], 'ignore')
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A port that nobody listens on just now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
