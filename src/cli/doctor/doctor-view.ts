// `supervise doctor` as text: a line a finding, and below those that are not well why that matters and what to type.

import type { Colour, Paint } from '../paint.ts'
import { countOf } from '../progress.ts'
import { alignRows } from '../table.ts'
import { oneLine, wrap } from '../text-width.ts'
import type { Finding, Level } from './finding.ts'

const LOOKS: Readonly<Record<Level, { symbol: string; colour: Colour }>> = {
  fine: { symbol: '✓', colour: 'green' },
  note: { symbol: '·', colour: 'cyan' },
  warning: { symbol: '!', colour: 'yellow' },
  problem: { symbol: '✗', colour: 'red' },
}

const MEANINGS: Readonly<Record<Level, string>> = {
  fine: 'fine',
  note: 'good to know',
  warning: 'may hurt one day',
  problem: 'hurts now, or at the next start',
}

export function renderFindings(findings: readonly Finding[], paint: Paint, width = Infinity): string[] {
  const abouts = alignRows(
    [{}],
    findings.map(({ about }) => [about]),
  )
  const widest = Math.max(0, ...abouts.map((about) => about.length))
  const lines = findings.flatMap((finding) => renderOne(finding, widest, paint, width))
  return [...lines, '', ...legend(findings, width), summary(findings, paint)]
}

/** What the marks mean, those that were used; nothing when all is fine, which is said by itself. */
function legend(findings: readonly Finding[], width: number): string[] {
  const used = new Set(findings.map(({ level }) => level))
  if ([...used].every((level) => level === 'fine')) return []
  const levels: readonly Level[] = ['fine', 'note', 'warning', 'problem']
  const meanings = levels.filter((level) => used.has(level)).map((level) => `${LOOKS[level].symbol} ${MEANINGS[level]}`)
  const [first = '', ...rest] = wrap(`Marks: ${meanings.join(', ')}`, width, '    ')
  return [first.trimStart(), ...rest]
}

function renderOne({ level, about, says, why, fix }: Finding, widest: number, paint: Paint, width: number): string[] {
  const { symbol, colour } = LOOKS[level]
  const [first = '', ...rest] = wrap(`${about.padEnd(widest)}  ${oneLine(says)}`, width - 2, '    ')
  const more = [
    ...(why === undefined ? [] : wrap(`Why: ${why}`, width, '    ')),
    ...(fix === undefined ? [] : wrap(`Try: ${fix}`, width, '    ')),
  ]
  return [`${paint(colour, symbol)} ${first.trimStart()}`, ...rest, ...more]
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems + warnings === 0) return paint('green', 'Everything is as it should be.')
  const parts = [
    ...(problems === 0 ? [] : [paint('red', countOf(problems, 'problem'))]),
    ...(warnings === 0 ? [] : [paint('yellow', countOf(warnings, 'warning'))]),
    `${count('fine')} fine`,
  ]
  return parts.join(', ')
}
