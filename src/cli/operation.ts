// Runs one operation in a supervisor and shows how it goes: live on a terminal, one line an event elsewhere, and the
// result at the end. Ctrl-C and a time-out let go of it without ending it.

import { parseDuration } from '../config/quantities.ts'
import type { InstanceClient } from '../control/client.ts'
import type { OperationResult, ProgressLine } from '../control/messages.ts'
import { connectionLost, supervisorLost } from '../errors/control.ts'
import { detached, wrongUsage } from '../errors/cli.ts'
import { EXIT, SuperviseError, type ExitCode } from '../errors.ts'
import { followOn, tellReplaced } from './follow-on.ts'
import type { Invocation } from './invocation.ts'
import { LiveFrame } from './live-frame.ts'
import { renderResult } from './operation-result.ts'
import type { Output } from './output.ts'
import { recordLine, renderFrame, renderPlain, type Progress } from './progress.ts'

export interface Operation {
  readonly client: InstanceClient
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
  /** As in "reload goes on in the supervisor". */
  readonly title: string
  /** What to type to have it done again. */
  readonly again: string
  /** What to type to see how it goes on. */
  readonly look?: string
  /** What to ask the next supervisor for, where another one takes over before the end. */
  readonly onward?: string
  /** It may be about no app at all. */
  readonly mayBeEmpty?: true
}

export interface OperationOptions {
  readonly timeout?: string
}

export function appPath(app: string, verb?: string): string {
  const path = `/v1/apps/${encodeURIComponent(app)}`
  return verb === undefined ? path : `${path}/${verb}`
}

/** One after the other, so that two apps do not start all their workers at once. The first failure is the exit code. */
export async function operate(
  operations: readonly Operation[],
  options: OperationOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const letGo = listenForDetach(operations[0], options.timeout)
  const results: OperationResult[] = []
  try {
    for (const operation of operations) {
      // oxlint-disable-next-line no-await-in-loop -- that is the point
      const ended = await follow(operation, letGo.signal, invocation.output)
      results.push(...ended)
      if (!invocation.output.json) showResults(ended, operation.again, invocation.output)
    }
  } catch (error) {
    if (error !== letGo.signal.reason || !(error instanceof SuperviseError)) throw error
    if (invocation.output.json) invocation.output.document({ error: error.toJSON() })
    else invocation.output.talk(error.message)
    return error.exitCode
  } finally {
    letGo.end()
  }
  if (invocation.output.json) invocation.output.document({ results })
  return exitCodeOf(results)
}

export function exitCodeOf(results: readonly OperationResult[]): ExitCode {
  const failed = results.find(({ ok }) => !ok)
  return failed ? (failed.error?.exitCode ?? EXIT.failed) : EXIT.ok
}

async function follow(operation: Operation, signal: AbortSignal, output: Output): Promise<readonly OperationResult[]> {
  const { title, look } = operation
  const results: OperationResult[] = []
  const view = openProgress(output)
  try {
    for await (const line of linesOf(operation, signal, () => view.handedOver())) {
      view.show(line)
      if (line.type === 'result') results.push(line.result)
    }
  } catch (error) {
    throw isSupervisorLost(error) && look !== undefined ? supervisorLost(title, look) : error
  } finally {
    view.end()
  }
  if (results.length === 0 && !operation.mayBeEmpty) throw connectionLost(title, true)
  return results
}

function linesOf(operation: Operation, signal: AbortSignal, handedOver: () => void): AsyncIterable<ProgressLine> {
  const { client, method, path, body, onward } = operation
  const sent = method === 'GET' ? { signal } : { body: body ?? {}, signal }
  if (onward === undefined) return client.stream<ProgressLine>(method, path, sent)
  let isFirst = true
  return followOn(() => {
    const lines = isFirst
      ? client.stream<ProgressLine>(method, path, sent)
      : client.stream<ProgressLine>('GET', onward, { signal })
    isFirst = false
    return lines
  }, handedOver)
}

function isSupervisorLost(error: unknown): boolean {
  return error instanceof SuperviseError && error.code === 'CONNECTION_LOST' && error.exitCode === EXIT.failed
}

export interface ProgressView {
  show(line: ProgressLine): void
  /** Another supervisor tells the rest. */
  handedOver(): void
  end(): void
}

export function openProgress(output: Output): ProgressView {
  const replaced = () => tellReplaced(output)
  if (output.json) return { show: () => {}, handedOver: replaced, end: () => {} }
  const terminal = output.liveTerminal
  if (terminal === null) return { show: (line) => tell(line, output), handedOver: replaced, end: () => {} }
  let progress: Progress = []
  const draw = (size: Parameters<typeof renderFrame>[2]) =>
    renderFrame(progress, performance.now(), size, output.talkPaint)
  let frame = new LiveFrame(terminal, draw)
  return {
    show: (line) => (progress = recordLine(progress, line, performance.now())),
    handedOver: () => {
      frame.end()
      replaced()
      progress = []
      frame = new LiveFrame(terminal, draw)
    },
    end: () => frame.end(),
  }
}

function tell(line: ProgressLine, output: Output): void {
  const text = renderPlain(line)
  if (text !== null) output.talk(text)
}

export function showResults(results: readonly OperationResult[], again: string, output: Output): void {
  for (const result of results) {
    if (result.ok) output.lines(renderResult(result, again, output.paint))
    else output.talk(renderResult(result, again, output.talkPaint).join('\n'))
  }
}

/** Aborts with the reason that is then told, at Ctrl-C or when the time is over. */
function listenForDetach(
  operation: Operation | undefined,
  timeout: string | undefined,
): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const letGo = (timedOut: boolean) =>
    controller.abort(detached(operation?.title ?? '', operation?.look ?? 'supervise status', timedOut))
  const interrupt = () => letGo(false)
  const timer = timeout === undefined ? undefined : setTimeout(() => letGo(true), timeoutMs(timeout))
  process.once('SIGINT', interrupt)
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer)
      process.removeListener('SIGINT', interrupt)
    },
  }
}

/** Throws for what is no duration. */
export function timeoutMs(text: string): number {
  const ms = parseDuration(text)
  if (ms === null)
    throw wrongUsage(`wait for "${text}": it is not a duration`, 'Give one with a unit, such as --timeout 90s.')
  return ms
}
