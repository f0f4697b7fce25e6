// Starts the load client as a process of its own and gives its report to a test.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { LaneRequest, LoadRequest, Target } from './load/options.ts'
import type { Report } from './load/recorder.ts'
import { until } from './until.ts'

export type { Report } from './load/recorder.ts'

const CLIENT = fileURLToPath(new URL('load/client.ts', import.meta.url))

/** The client reads TypeScript by itself, which Node 22 does from 22.18 on. */
const NODE = process.execPath

type Line =
  | { readonly type: 'progress'; readonly ok: number; readonly failed: number }
  | ({ readonly type: 'report' } & Report)

export interface Load {
  /** Ends the run early and answers its report. */
  stop(): Promise<Report>
  /** The report, when the run ends by itself. */
  readonly report: Promise<Report>
  /** Answers so far, and failures. */
  progress(): { readonly ok: number; readonly failed: number }
  /** Waits until so many more requests were answered than now. */
  answers(more: number, deadlineMs?: number): Promise<void>
}

/** Must be called inside a test: whatever is left of the client at its end is killed. */
export function startLoad(request: LoadRequest): Load {
  const child = spawn(NODE, [CLIENT, JSON.stringify({ progress: true, ...request })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let progress = { ok: 0, failed: 0 }
  const report = reportOf(child, (line) => (progress = line))
  // A test that fails elsewhere never awaits it.
  report.catch(() => {})
  return {
    report,
    stop() {
      child.kill('SIGTERM')
      return report
    },
    progress: () => progress,
    async answers(more, deadlineMs = 10_000) {
      const aim = progress.ok + more
      await until(() => progress.ok >= aim, deadlineMs, `${more} more answers than ${progress.ok}`)
    },
  }
}

/** Runs a load to its end. */
export function runLoad(request: LoadRequest): Promise<Report> {
  return startLoad({ progress: false, ...request }).report
}

function reportOf(child: ChildProcess, onProgress: (line: { ok: number; failed: number }) => void): Promise<Report> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) =>
      reject(new Error(`The load client ended without a report: ${signal ?? code}`)),
    )
    if (child.stdout === null) return
    createInterface(child.stdout).on('line', (text) => {
      const line: Line = JSON.parse(text)
      if (line.type === 'progress') onProgress(line)
      else resolve(line)
    })
  })
}

/**
 * The mix that the acceptance bar asks for: 64 connections, one request each and keep-alive, GET and POST of 16 KB, some
 * pipelined, some WebSocket (left out with `webSockets: 0`, for an app that has none).
 */
export function mixedLanes(options: { readonly webSockets?: number; readonly target?: Target } = {}): LaneRequest[] {
  const { webSockets = 6, ...target } = options
  const expect = { text: 'hello\n' }
  const lanes: LaneRequest[] = [
    { kind: 'once', connections: 10, postShare: 0.25, expect, ...target },
    { kind: 'keepAlive', connections: 24, postShare: 0.25, expect, ...target },
    { kind: 'keepAlive', connections: 18, postShare: 0.5, thinkMs: [1, 60], expect, ...target },
    { kind: 'keepAlive', connections: 4, thinkMs: [0, 20], requestsPerConnection: 10, expect, ...target },
    { kind: 'pipelined', connections: 4, thinkMs: [0, 10], expect, ...target },
  ]
  if (webSockets > 0) lanes.push({ kind: 'webSocket', connections: webSockets, thinkMs: [0, 40], ...target })
  return lanes
}

/** What a failed test should show of a report: not all of it. */
export function failuresOf(report: Report): object {
  const { ok, failed, failures, firstFailures, webSocketCloses, longestGapMs } = report
  const counted = Object.fromEntries(Object.entries(failures).filter(([, count]) => count > 0))
  return { ok, failed, failures: counted, firstFailures: firstFailures.slice(0, 5), webSocketCloses, longestGapMs }
}

/** The bar: not one failed request. Shows the first ones when there are. */
export function mustHaveLostNothing(report: Report): void {
  if (report.failed > 0 || report.ok === 0)
    throw new Error(`Requests were lost: ${JSON.stringify(failuresOf(report), null, 2)}`)
}
