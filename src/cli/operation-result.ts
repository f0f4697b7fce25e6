// The last words on an operation: what is so now, what it took, and after a failure why and what to do.

import type { OperationResult } from '../control/messages.ts'
import { EXIT } from '../errors.ts'
import { formatDuration } from './durations.ts'
import type { Paint } from './paint.ts'
import { countOf } from './progress.ts'
import { linesWithText, oneLine } from './text-width.ts'

export function renderResult(result: OperationResult, again: string, paint: Paint): string[] {
  return result.ok ? renderSuccess(result, paint) : renderFailure(result, again, paint)
}

function renderSuccess(result: OperationResult, paint: Paint): string[] {
  const cut = result.requestsCut > 0 ? paint('yellow', `, ${countOf(result.requestsCut, 'request')} cut`) : ''
  const took = paint('dim', ` (${formatDuration(result.tookMs)})`)
  return [`${paint('green', '✓')} ${nameOnce(result.app, result.text)}${cut}${took}`]
}

function renderFailure(
  { app, kind, release, text, error, requestsCut }: OperationResult,
  again: string,
  paint: Paint,
): string[] {
  const exitCode = error?.exitCode ?? EXIT.failed
  const cause = error === null ? text : `${error.message}  [${error.code}]`
  const now = error === null || text === error.message ? [] : [`  ${oneLine(text)}`]
  const cut = requestsCut > 0 ? [`  ${countOf(requestsCut, 'request')} cut.`] : []
  // What was typed wrongly is not to be typed again. After a start that failed there may be no supervisor to ask for them.
  const of = release === undefined ? app : `${app} --release ${release}`
  const logs = kind === 'start' ? '' : `Logs: supervise logs ${of}      `
  return [
    `${paint('red', '✗')} ${nameOnce(app, cause)}`,
    ...linesWithText(error?.lines ?? []).map((line) => `    ${oneLine(line)}`),
    ...now,
    ...cut,
    ...(error?.fix ? [`  ${paint('bold', 'Try:')} ${error.fix}`] : []),
    paint('dim', exitCode === EXIT.usage ? `  (exit ${exitCode})` : `  ${logs}Again: ${again}      (exit ${exitCode})`),
  ]
}

/** Sentences about an app often name it themselves. */
function nameOnce(app: string, sentence: string): string {
  const line = oneLine(sentence)
  return line.includes(`"${app}"`) || line.startsWith(`${app} `) || line.startsWith(`${app}:`)
    ? line
    : `${app}: ${line}`
}
