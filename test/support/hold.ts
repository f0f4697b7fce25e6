// Requests that are under way for as long as a test wants: the app says when it has them, the test when it may answer.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './home.ts'
import { until } from './until.ts'

const ASKED_MS = 15_000

export interface Hold {
  /** What to ask for, once or several times; the fixtures of routes.cjs answer it with `held`. */
  readonly path: string
  /** Waits until the app has so many of them, and answers the pids of the workers that do. */
  asked(count?: number): Promise<readonly number[]>
  /** Lets all of them be answered. */
  release(): void
}

let made = 0

export function makeHold(home: Home): Hold {
  const file = join(home.work, `hold-${++made}`)
  const pids = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [])
  return {
    path: `/hold?at=${file}`,
    asked: (count = 1) => until(() => pids().length >= count && pids(), ASKED_MS, `${count} requests are under way`),
    release: () => writeFileSync(`${file}.go`, ''),
  }
}
