// `supervise top`: a live view of everything on a whole terminal, which is left as it was on any way out.

import type { WriteStream } from 'node:tty'
import { emitKeypressEvents } from 'node:readline'
import type { Command } from 'commander'
import { messageOf } from '../config/failure.ts'
import type { AppSamples, EventRecord, LogRecord } from '../control/messages.ts'
import { noTerminal } from '../errors/cli.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { notRunning, reachInstances, readStatus, type Instance } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { keepFollowing } from './keep-following.ts'
import { addExamples } from './program.ts'
import {
  EMPTY,
  press,
  recordEvent,
  recordLine,
  recordSamples,
  recordStatuses,
  type TopAction,
  type TopModel,
} from './top-model.ts'
import { renderTop } from './top-view.ts'

const EVERY_MS = 1000
const SAMPLES_EVERY_MS = 10_000
const EVENTS = '/v1/events'
const FIRST_LINES = 50
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const REDRAW_MS = 100
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

export function define(command: Command, invocation: Invocation): void {
  command
    .description(
      'Shows apps, releases and workers as they are, on the whole terminal: requests, percentiles, CPU and memory, the last ' +
        'events or lines. Keys reload, flip and scale after a question; ? lists them.',
    )
    .action(async () => {
      invocation.exitCode = await top(invocation)
    })
  addExamples(command, [{ command: 'supervise top', does: 'everything, until q' }])
}

async function top(invocation: Invocation): Promise<ExitCode> {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY || invocation.output.json) throw noTerminal()
  const { live, unreachable } = await reachInstances(invocation)
  if (live.length === 0) throw notRunning(unreachable, invocation)
  const screen = new Screen(stdout, (size) => renderTop(view.model, size, invocation.output.paint))
  const view = new View(live, () => screen.drawSoon())
  try {
    screen.enter()
    await view.watch()
  } finally {
    screen.leave()
    view.end()
  }
  return EXIT.ok
}

type Render = (size: { readonly columns: number; readonly rows: number }) => readonly string[]

/** Owns the terminal. */
class Screen {
  readonly #terminal: WriteStream
  readonly #render: Render
  readonly #draw = () => this.draw()
  readonly #leave = () => this.leave()
  #isIn = false
  #soon: NodeJS.Timeout | undefined

  constructor(terminal: WriteStream, render: Render) {
    this.#terminal = terminal
    this.#render = render
  }

  enter(): void {
    this.#isIn = true
    process.stdin.setRawMode(true)
    this.#terminal.write(ENTER)
    this.#terminal.on('resize', this.#draw)
    // Also after an error that nobody caught.
    process.once('exit', this.#leave)
  }

  /** At most ten times a second: an app may write thousands of lines. */
  drawSoon(): void {
    this.#soon ??= setTimeout(() => this.draw(), REDRAW_MS)
  }

  draw(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    if (!this.#isIn) return
    const lines = this.#render({ columns: this.#terminal.columns || 80, rows: this.#terminal.rows || 24 })
    // One write a picture, so that a terminal never shows half of one.
    this.#terminal.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW)
  }

  leave(): void {
    if (!this.#isIn) return
    this.#isIn = false
    clearTimeout(this.#soon)
    this.#terminal.off('resize', this.#draw)
    process.off('exit', this.#leave)
    process.stdin.setRawMode(false)
    this.#terminal.write(LEAVE)
  }
}

/** Owns what is known, and asks for it again and again. */
class View {
  model: TopModel = EMPTY
  readonly #instances: readonly Instance[]
  readonly #changed: () => void
  readonly #aborter = new AbortController()
  #quit: () => void = () => {}

  constructor(instances: readonly Instance[], changed: () => void) {
    this.#instances = instances
    this.#changed = changed
  }

  /** Until a key or a signal ends it. */
  async watch(): Promise<void> {
    const over = new Promise<void>((resolve) => (this.#quit = resolve))
    emitKeypressEvents(process.stdin)
    process.stdin.on('keypress', (text: string | undefined, key: { name?: string; ctrl?: boolean }) => {
      const { model, action, quits } = press(this.model, {
        name: key.name ?? '',
        text: text ?? '',
        ctrl: key.ctrl === true,
      })
      if (quits) return this.#quit()
      this.#take(model)
      if (action !== null) void this.#perform(action)
    })
    process.stdin.resume()
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, this.#quit)
    for (const instance of this.#instances) {
      for (const path of [EVENTS, '/v1/logs']) void this.#follow(instance, path)
    }
    await this.#look()
    void this.#lookAtSamples()
    const timers = [
      setInterval(() => void this.#look(), EVERY_MS),
      setInterval(() => void this.#lookAtSamples(), SAMPLES_EVERY_MS),
    ]
    await over
    for (const timer of timers) clearInterval(timer)
  }

  end(): void {
    this.#aborter.abort()
    process.stdin.removeAllListeners('keypress')
    process.stdin.pause()
  }

  async #look(): Promise<void> {
    try {
      const statuses = await Promise.all(this.#instances.map((instance) => readStatus(instance)))
      const isBack = this.model.message?.startsWith(GONE) === true
      this.#take(recordStatuses(isBack ? { ...this.model, message: null } : this.model, statuses))
    } catch (error) {
      this.#take({ ...this.model, message: `${GONE}: ${messageOf(error)}` })
    }
  }

  async #lookAtSamples(): Promise<void> {
    for (const { instance, apps } of this.model.statuses) {
      const client = this.#instances.find(({ name }) => name === instance)?.client
      for (const { name } of client === undefined ? [] : apps) {
        // Without them the bars begin now, and the other look says what is wrong.
        const samples = await client?.get<AppSamples>(appPath(name, 'samples')).catch(() => null)
        if (samples != null) this.#take(recordSamples(this.model, instance, samples))
      }
    }
  }

  async #follow(instance: Instance, path: string): Promise<void> {
    // Events that are told again are known by their number; lines are not, and stood there already.
    const lines = { first: FIRST_LINES, again: path === EVENTS ? FIRST_LINES : 0 }
    await keepFollowing<EventRecord | LogRecord>(instance.client, {
      path,
      signal: this.#aborter.signal,
      lines,
      pauseMs: EVERY_MS,
      take: (item) => this.#take('line' in item ? recordLine(this.model, item) : recordEvent(this.model, item)),
    })
  }

  async #perform({ kind, instance, app }: TopAction): Promise<void> {
    const client = this.#instances.find(({ name }) => name === instance)?.client
    if (client === undefined) return
    const [verb, body] = REQUESTS[kind]
    try {
      const { text, ok } = await client.send<{ readonly text: string; readonly ok: boolean }>(
        'POST',
        appPath(app, verb),
        body,
      )
      this.#take({ ...this.model, message: `${ok ? '✓' : '✗'} ${app}: ${text}` })
    } catch (error) {
      this.#take({ ...this.model, message: `✗ ${app}: ${messageOf(error)}` })
    }
  }

  #take(model: TopModel): void {
    this.model = model
    this.#changed()
  }
}

const GONE = 'The supervisor does not answer'

const REQUESTS: Readonly<Record<TopAction['kind'], readonly [verb: string, body: object]>> = {
  reload: ['reload', {}],
  flip: ['flip', {}],
  'scale up': ['scale', { workers: '+1' }],
  'scale down': ['scale', { workers: '-1' }],
}
