// The stages of a rollout in the picture of an operation: below the workers' rows, or one line an event.

import type { RolloutStage } from '../control/release-messages.ts'
import { formatDuration as formatWhole } from '../config/quantities.ts'
import { formatDuration, formatElapsed } from './durations.ts'
import type { Colour, Paint } from './paint.ts'
import { oneLine } from './text-width.ts'

export interface StageRow {
  readonly stage: RolloutStage
  /** When it got into its state. */
  readonly since: number
}

export function recordStage(rows: readonly StageRow[], stage: RolloutStage, now: number): readonly StageRow[] {
  const before = rows.find((row) => row.stage.stage === stage.stage)
  if (!before) return [...rows, { stage, since: now - (stage.elapsedMs ?? 0) }]
  const since = before.stage.state === stage.state ? before.since : now
  return rows.map((row) => (row === before ? { stage, since } : row))
}

const STAGE_LOOKS: Readonly<Record<RolloutStage['state'], { symbol: string; colour: Colour }>> = {
  running: { symbol: '◐', colour: 'yellow' },
  done: { symbol: '✓', colour: 'green' },
  failed: { symbol: '✗', colour: 'red' },
  warned: { symbol: '!', colour: 'yellow' },
}

/** Below the workers: `✓ smoke test passed  1.2s`, `◐ serves and is watched  0.3s of 10m`. `now` is null at the end. */
export function renderStage({ stage, since }: StageRow, now: number | null, paint: Paint): string {
  const { symbol, colour } = STAGE_LOOKS[stage.state]
  const time = stageTime(stage, now === null ? null : now - since)
  return `     ${paint(colour, symbol)} ${oneLine(stage.text)}${time === '' ? '' : paint('dim', `  ${time}`)}`
}

/** `elapsedMs` is null where nobody looks any more. */
function stageTime({ state, tookMs, forMs }: RolloutStage, elapsedMs: number | null): string {
  if (state !== 'running') return tookMs === undefined ? '' : formatDuration(tookMs)
  const whole = forMs === undefined ? '' : formatWhole(forMs)
  if (elapsedMs === null) return whole === '' ? '' : `for ${whole}`
  return whole === '' ? formatElapsed(elapsedMs) : `${formatElapsed(elapsedMs)} of ${whole}`
}

export function plainStage(stage: RolloutStage): string {
  const time = stageTime(stage, null)
  return `${oneLine(stage.text)}${time === '' ? '' : stage.state === 'running' ? ` ${time}` : ` (${time})`}`
}
