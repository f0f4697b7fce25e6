// The events of probes, in words and for programs.

import { formatDuration } from '../config/quantities.ts'
import type { ProbeNews } from '../core/probe-state.ts'
import type { EventDraft } from '../telemetry/events.ts'
import type { ProbeAnswer } from './probe-question.ts'
import type { ProbeTarget } from './probe-targets.ts'

const CAUSE = 'policy probes'

export function probeFailed(app: string, target: ProbeTarget, answer: ProbeAnswer, failures: number): EventDraft {
  const text = `probe ${placeWords(target)} ${answer.problem} (${failures} in a row)`
  const data = { ...dataOf(target), outcome: answer.outcome, failures }
  return { type: 'probeFailed', app, ...whose(target), text, cause: CAUSE, data }
}

export function probeRecovered(
  app: string,
  target: ProbeTarget,
  { failedForMs, failures }: Extract<ProbeNews, { type: 'recovered' }>,
): EventDraft {
  const seconds = Math.max(1, Math.round(failedForMs / 1000))
  const text = `probe ${placeWords(target)} is answered well again, after ${formatDuration(seconds * 1000)}`
  const data = { ...dataOf(target), failures, failedForMs: Math.round(failedForMs) }
  return { type: 'probeRecovered', app, ...whose(target), text, cause: CAUSE, data }
}

function placeWords({ probe, kind, where }: ProbeTarget): string {
  return kind === 'url' && where.endsWith(probe.name) ? where : `${probe.name} at ${where}`
}

function dataOf({ probe, name }: ProbeTarget) {
  return { probe: probe.name, target: name }
}

function whose({ worker }: ProbeTarget) {
  if (worker === null) return {}
  const { group, release } = worker.generation
  return { group, release: release.id, worker: worker.id, pid: worker.pid }
}
