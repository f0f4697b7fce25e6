// Events, crashes and log lines as text, one record each.

import type { CrashRecord, EventRecord, LogRecord } from '../control/messages.ts'
import { formatDuration } from './durations.ts'
import type { Colour, Paint } from './paint.ts'
import { countOf } from './progress.ts'
import { formatBytes } from './sizes.ts'
import { linesWithText, oneLine } from './text-width.ts'

/** So many last lines of a crashed worker are shown; `--json` has all that were kept. */
const SHOWN_LINES = 8

/** `2026-11-22 07:45:12`, in local time. */
export function formatTime(time: string): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return time
  const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join('-')
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

export function renderEvent({ time, app, worker, type, text, cause }: EventRecord, paint: Paint): string {
  const told = text === '' ? type : oneLine(text)
  const namesWorker = worker === undefined || told.includes(`worker ${worker}`)
  const where = app === null ? '' : `${namesWorker ? app : `${app}/${worker}`}  `
  return `${paint('dim', formatTime(time))}  ${where}${told}${cause === '' ? '' : paint('dim', `  (${oneLine(cause)})`)}`
}

export function renderCrash(crash: CrashRecord, paint: Paint): string[] {
  const {
    at,
    app,
    worker,
    pid,
    words,
    release,
    uptimeSeconds,
    stderr,
    rssBytes,
    loopDelayMs,
    requestsInFlight,
    reportPath,
  } = crash
  const facts = [
    release,
    `pid ${pid}`,
    `up ${formatDuration(uptimeSeconds * 1000)}`,
    rssBytes === null ? '' : formatBytes(rssBytes),
    loopDelayMs === null ? '' : `loop delay ${formatDuration(loopDelayMs)}`,
    requestsInFlight ? `${countOf(requestsInFlight, 'request')} in flight` : '',
  ]
  const lines = linesWithText(stderr)
  const hidden = lines.length - SHOWN_LINES
  return [
    `${paint('dim', formatTime(at))}  ${paint('bold', `${app}/${worker}`)}  ${paint('red', oneLine(words))}`,
    `    ${facts.filter(Boolean).join(', ')}`,
    ...(hidden > 0 ? [paint('dim', `    … ${countOf(hidden, 'line')} more with --json`)] : []),
    ...lines.slice(-SHOWN_LINES).map((line) => `    ${paint('dim', '|')} ${oneLine(line)}`),
    ...(reportPath === null ? [] : [`    report: ${reportPath}`]),
  ]
}

const WORKER_COLOURS: readonly Colour[] = ['cyan', 'green', 'yellow']

/** What the app wrote stays as it is, colours and all. */
export function renderLog({ app, worker, stream, line }: LogRecord, paint: Paint): string {
  const colour = stream === 'stderr' ? 'red' : (WORKER_COLOURS[worker % WORKER_COLOURS.length] ?? 'cyan')
  const prefix = `${paint(colour, `${app}/${worker} |`)} `
  return `${prefix}${line.replaceAll('\n', `\n${prefix}`)}`
}
