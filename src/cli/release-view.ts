// `supervise history web r2` as text: what is known of one release, how it did when it was tried and while it was watched.

import type { ReleaseStatus } from '../control/messages.ts'
import { formatDuration } from './durations.ts'
import type { Paint } from './paint.ts'
import { countOf } from './progress.ts'
import { alignRows } from './table.ts'
import { linesWithText, oneLine } from './text-width.ts'

/** So many last lines of the smoke test are shown; `--json` has all that were kept. */
const SHOWN_LINES = 20

export function renderRelease(release: ReleaseStatus, paint: Paint): string[] {
  const rows = [
    ['release', release.release],
    ['version', release.version ?? ''],
    ['path', release.path],
    ['role', release.role ?? ''],
    ['created', `${release.createdAt} by ${release.deployedBy}`],
    ['outcome', `${release.outcome ?? 'under way'}${release.why === null ? '' : `: ${release.why}`}`],
    ['ended', release.endedAt ?? ''],
    ...watchRows(release),
    ['contract', release.contract ?? ''],
    ['smoke test', smokeText(release)],
  ]
  const told = rows.filter(([, value]) => value !== '').map((row) => row.map(oneLine))
  return [...alignRows([{}, {}], told), ...smokeLines(release, paint)]
}

function watchRows({ watch }: ReleaseStatus): string[][] {
  if (watch === null) return []
  const { verdict, watchedSeconds, requests, serverErrors, errorRatio, crashes, failingProbes, old } = watch
  const most = old.errorRatioAtMost === null ? '' : `, so at most ${percent(old.errorRatioAtMost)}`
  const before = old.requests === 0 ? 'nothing known' : `${serverErrorsOf(old)}${most}`
  const seen = `${serverErrorsOf({ requests, serverErrors })} (${percent(errorRatio)})`
  return [
    ['watch', `${verdict} after ${formatDuration(watchedSeconds * 1000)}`],
    ['  seen', `${seen}, ${crashes} crashed, ${countOf(failingProbes, 'failing probe')}`],
    ['  hour before', `${before}, ${old.crashes} crashed`],
  ]
}

function smokeText({ smoke }: ReleaseStatus): string {
  if (smoke === null) return ''
  return smoke.passed ? 'passed' : `failed: ${smoke.why ?? ''}`
}

function smokeLines({ smoke }: ReleaseStatus, paint: Paint): string[] {
  const lines = linesWithText((smoke?.output ?? '').split('\n'))
  const hidden = lines.length - SHOWN_LINES
  return [
    ...(hidden > 0 ? [paint('dim', `    … ${countOf(hidden, 'line')} more with --json`)] : []),
    ...lines.slice(-SHOWN_LINES).map((line) => `    ${paint('dim', '|')} ${oneLine(line)}`),
  ]
}

function serverErrorsOf({ requests, serverErrors }: { readonly requests: number; readonly serverErrors: number }) {
  return `${serverErrors} of ${countOf(requests, 'request')} answered with 5xx`
}

/** Two digits that mean something. */
function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))} %`
}
