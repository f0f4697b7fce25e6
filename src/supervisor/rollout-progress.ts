// What a rollout tells beside how its workers fare, while it goes on: one stage after the other, each as it begins and as it
// ends. Made from what the rollout is and what it was a moment before.

import type { HookName } from '../config/app-config.ts'
import { formatDuration } from '../config/quantities.ts'
import type { RolloutStage } from '../control/release-messages.ts'
import { servingSide, type Rollout } from '../core/rollout.ts'
import type { Refusal } from './rollout-hooks.ts'

export type TellStage = (stage: RolloutStage) => void

/** What the configuration says of the stages. */
export interface StageFacts {
  readonly app: string
  readonly hasSmokeTest: boolean
  readonly bakeMs: number
}

export class RolloutProgress {
  readonly #facts: StageFacts
  readonly #listeners = new Set<TellStage>()
  #rollout: Rollout | null = null

  constructor(facts: StageFacts) {
    this.#facts = facts
  }

  /** Call it for each change, in order. */
  moved(rollout: Rollout, now: number): void {
    const stages = stagesBetween(this.#rollout, rollout, now, this.#facts)
    this.#rollout = rollout
    for (const stage of stages) this.tell(stage)
  }

  readonly tell: TellStage = (stage) => {
    for (const listener of this.#listeners) listener(stage)
  }

  /** With a time it begins with the stage that runs then. Returns what ends it. */
  follow(listener: TellStage, now: number | null): () => void {
    this.#listeners.add(listener)
    const running = now === null || this.#rollout === null ? null : runningStage(this.#rollout, now, this.#facts)
    if (running !== null) listener(running)
    return () => this.#listeners.delete(listener)
  }
}

/** Tells of a hook that is asked, if there is one. */
export async function tellOfHook(
  name: HookName,
  isThere: boolean,
  ask: () => Promise<Refusal | null>,
  tell: TellStage,
): Promise<Refusal | null> {
  if (!isThere) return ask()
  const stage = `hook ${name}`
  tell({ stage, state: 'running', text: `${stage} is asked` })
  const no = await ask()
  tell({ stage, state: no === null ? 'done' : 'failed', text: no === null ? `${stage} said yes` : no.why })
  return no
}

function stagesBetween(
  before: Rollout | null,
  rollout: Rollout,
  now: number,
  facts: StageFacts,
): readonly RolloutStage[] {
  const stays = before?.state === rollout.state
  if (stays && before.paused === rollout.paused) return []
  const over = before === null || stays ? null : endedStage(before, rollout, now, facts)
  return [over, runningStage(rollout, now, facts)].filter((stage) => stage !== null)
}

interface Words {
  readonly stage: string
  readonly running: string
  readonly done: string
  /** How long it goes on by itself; null where that is not known. */
  readonly forMs: number | null
}

/** Null for what is over as it begins. */
function stageWords(stage: string, running: string, done: string, forMs: number | null = null): Words | null {
  return forMs === 0 ? null : { stage, running, done, forMs }
}

/** The stage of a state; null for one that is nothing to wait for. */
function wordsOf({ state, from, policy }: Rollout, facts: StageFacts): Words | null {
  switch (state) {
    case 'ready':
      return stageWords('settle', 'all ready, must stay up', 'all ready, stayed up', policy.minReadyMs)
    case 'smoking':
      return facts.hasSmokeTest ? stageWords('smoke', 'smoke test runs', 'smoke test passed') : null
    case 'awaiting':
      return stageWords('wait', `waits for \`supervise promote ${facts.app}\``, 'promoted')
    case 'flipping':
      return stageWords('flip', 'flip', 'flip')
    case 'baking':
      return stageWords('watch', 'serves and is watched', 'watched, nothing was found', facts.bakeMs)
    case 'goingBack':
    case 'heldUp':
      return stageWords('back', `the traffic moves back to ${from}`, `${from} serves again`)
    case 'starting':
    case 'retiring':
    case 'endingOld':
    case 'withdrawn':
    case 'endingNew':
    case 'done':
      return null
  }
}

function runningStage(rollout: Rollout, now: number, facts: StageFacts): RolloutStage | null {
  const words = wordsOf(rollout, facts)
  // A flip is over before it could be shown.
  if (words === null || words.stage === 'flip') return null
  const { stage, running, forMs } = words
  if (rollout.paused) return { stage, state: 'running', text: `${running}, paused` }
  const elapsedMs = now - rollout.since
  return { stage, state: 'running', text: running, elapsedMs, ...(forMs !== null && { forMs }) }
}

function endedStage(before: Rollout, rollout: Rollout, now: number, facts: StageFacts): RolloutStage | null {
  const words = wordsOf(before, facts)
  // A second attempt at the same.
  if (words === null || words.stage === wordsOf(rollout, facts)?.stage) return null
  const { stage, done } = words
  if (stage === 'back') return { stage, state: 'done', text: done }
  const tookMs = now - before.since
  if (isLost(rollout)) return { stage, state: 'failed', text: rollout.why ?? 'given up', tookMs }
  if (stage === 'flip') return { stage, state: 'done', text: `${done} in ${(rollout.flipMs ?? 0).toFixed(1)} ms` }
  return { stage, state: 'done', text: done, tookMs }
}

function isLost({ state, outcome }: Rollout): boolean {
  return (outcome !== null && outcome !== 'promoted') || ['goingBack', 'heldUp', 'endingNew'].includes(state)
}

/** It is decided, and the traffic is where it belongs. */
export function isSettled({ state, outcome }: Rollout): boolean {
  if (outcome === null) return false
  return outcome === 'promoted' || state === 'done' || servingSide(state) === 'old'
}

/** What a rollout that is under way comes to by a newer release, in whose place something has to end. */
export function roomWords({ release, from, state }: Rollout, next: string): string {
  if (state === 'baking') return `${release} serves and is watched no more, ${from} ends: ${next} needs the room`
  const ends = servingSide(state) === 'new' ? from : release
  return `${ends} ends: ${next} needs the room`
}

/** How long the new release is watched, in words that follow what it does. */
export function watchWords({ state }: Rollout, bakeMs: number): string {
  return state === 'baking' && bakeMs > 0 ? `; it is watched for ${formatDuration(bakeMs)}` : ''
}
