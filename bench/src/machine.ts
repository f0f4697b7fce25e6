// What the figures were taken on, and of which versions.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { pm2Version } from './contenders/pm2.ts'
import type { Scheduling } from './scheduling.ts'

const REPOSITORY = new URL('../../', import.meta.url)

export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly kernel: string
  /** Average load of the minute before the run: more than a little, and others were at work. */
  readonly loadBefore: number
  /** How the kernel shares the CPUs out among what is measured. */
  readonly scheduling: Scheduling
}

export interface Versions {
  readonly supervise: string
  readonly commit: string
  readonly node: string
  readonly pm2: string
  readonly wrk: string
}

export function describeMachine(scheduling: Scheduling): Machine {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    loadBefore: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
    scheduling,
  }
}

export function describeVersions(wrk: string): Versions {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL('package.json', REPOSITORY), 'utf8'))
  return { supervise: version, commit: commit(), node: process.versions.node, pm2: pm2Version(), wrk }
}

/** With a `+` when the working tree differs from it. */
function commit(): string {
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src', 'bin') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

function git(...args: string[]): string {
  const output = execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return output.trim()
}
