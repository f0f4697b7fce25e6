// A real systemd, booted for one test file in namespaces of its own: it sees this checkout and one directory for units and
// files, has /run, /tmp, /var/tmp, /var/lib and /etc/systemd/system for itself, and is gone with all that it started when the file ends.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LAUNCHER, TEST_NODE } from './home.ts'
import { ROOT } from './releases.ts'
import { until } from './until.ts'

const SYSTEMD = '/lib/systemd/systemd'

/** Why there can be none here; null when there can. */
export function whyNoSystemd(): string | null {
  if (process.getuid?.() !== 0) return 'only root may boot one'
  const isThere = spawnSync(SYSTEMD, ['--version']).status === 0 && spawnSync('unshare', ['--version']).status === 0
  return isThere ? null : `there is no ${SYSTEMD}, or no unshare`
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

/** Units that `After=` and the defaults name; the real ones would start a whole system. */
const TARGETS = [
  'sysinit',
  'basic',
  'shutdown',
  'sockets',
  'network',
  'network-online',
  'multi-user',
  'umount',
  'final',
]

const BOOT = `set -e
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
n=0; for kept in "$@"; do n=$((n + 1)); mkdir -p /run/keep/$n; mount --bind "$kept" /run/keep/$n; done
for own in /tmp /var/tmp /var/lib /etc/systemd/system; do mount -t tmpfs tmpfs $own; done
n=0; for kept in "$@"; do n=$((n + 1)); mkdir -p "$kept"; mount --bind /run/keep/$n "$kept"; done
exec ${SYSTEMD} --system --unit=main.target --log-target=console --log-level=info`

export class Systemd {
  /** Seen from inside and from outside under the same path. */
  readonly directory = mkdtempSync('/tmp/sd-')
  readonly units = join(this.directory, 'units')
  readonly #log = join(this.directory, 'boot.log')
  #process: ChildProcess | null = null
  #init = 0

  async boot(): Promise<void> {
    mkdirSync(this.units)
    for (const name of ['main', ...TARGETS]) writeFileSync(join(this.units, `${name}.target`), '[Unit]\n')
    const isolation = ['--fork', '--kill-child', '--pid', '--mount', '--uts', '--ipc', '--cgroup']
    const words = [...isolation, '--propagation', 'private', 'bash', '-c', BOOT, 'boot', ROOT, this.directory]
    const environment = { PATH: process.env['PATH'], SYSTEMD_UNIT_PATH: this.units, container: 'supervise-test' }
    const child = spawn('bash', ['-c', `exec unshare "$@" > ${this.#log} 2>&1`, 'unshare', ...words], {
      env: environment,
      stdio: 'ignore',
    })
    this.#process = child
    await until(
      () => {
        this.#init = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')[0])
        return this.#init > 0 && this.inside('systemctl', 'is-system-running').stdout.startsWith('running')
      },
      20_000,
      'systemd runs',
    )
  }

  /** Runs a command in it. */
  inside(...words: readonly string[]): Ran {
    return this.#run(words, {})
  }

  /** Types the command in it, in a directory. */
  supervise(directory: string, ...words: readonly string[]): Ran {
    return this.#run([TEST_NODE, LAUNCHER, ...words], { wd: directory })
  }

  /** A path in it, as this side may open it. */
  seenFromOutside(path: string): string {
    return `/proc/${this.#init}/root${path}`
  }

  systemctl(...words: readonly string[]): Ran {
    return this.inside('systemctl', ...words)
  }

  /** Without waiting for its end. */
  begin(...words: readonly string[]): Promise<Ran> {
    const began = performance.now()
    const child = spawn('nsenter', ['-t', String(this.#init), '-a', ...words], { env: this.#environment() })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    return new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, stdout, stderr, tookMs: performance.now() - began }))
    })
  }

  property(unit: string, name: string): string {
    return this.systemctl('show', '--property', name, '--value', unit).stdout.trim()
  }

  /** Of all processes of the unit, as the inside numbers them; the supervisor's first. */
  pids(unit: string): readonly number[] {
    const main = Number(this.property(unit, 'MainPID'))
    const all = this.inside('systemd-cgls', '--no-pager', '--unit', unit).stdout.matchAll(/[├└]─\s*(\d+) /g)
    const others = [...all].map((match) => Number(match[1])).filter((pid) => pid !== main)
    return main === 0 ? others : [main, ...others]
  }

  /** Settings beside those that `supervise systemd` writes. */
  dropIn(unit: string, lines: readonly string[]): void {
    const directory = join(this.units, `${unit}.d`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'test.conf'), `${lines.join('\n')}\n`)
    this.systemctl('daemon-reload')
  }

  /** What its units and it itself have said. */
  log(): string {
    return readFileSync(this.#log, 'utf8')
  }

  async end(): Promise<void> {
    const child = this.#process
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      // With it goes its init, and with that every process of the namespace.
      child.kill('SIGKILL')
      await gone
    }
    rmSync(this.directory, { recursive: true, force: true })
  }

  #run(words: readonly string[], { wd }: { readonly wd?: string }): Ran {
    const began = performance.now()
    const place = wd === undefined ? [] : [`--wd=${wd}`]
    const { status, stdout, stderr } = spawnSync('nsenter', ['-t', String(this.#init), '-a', ...place, ...words], {
      encoding: 'utf8',
      env: this.#environment(),
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    return { code: status, stdout, stderr, tookMs: performance.now() - began }
  }

  #environment(): Record<string, string> {
    return { PATH: process.env['PATH'] ?? '', SYSTEMD_UNIT_PATH: this.units, NO_COLOR: '1', HOME: '/root' }
  }
}
