// The hook `contract`, which takes the room for an old version of the data away. There is no way back behind it, so it runs
// when the release that needs the room is gone for good; and that it is due is in the books, so that it runs whichever
// supervisor is there then.
//
// It is written down before the hook runs and after. A supervisor that dies in between leaves it to the next one to run the
// hook again: it runs once, unless a supervisor dies while it runs.

import type { ContractRecord, ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'
import type { DataStep } from './release-data.ts'
import type { ReleaseBooks } from './release-books.ts'
import { askHook } from './rollout-hooks.ts'

/** Being run by this supervisor. */
const underWay = new WeakSet<App>()

/**
 * What a new release owes: its own step, or the one that the release before it had no time for. One that reads older data
 * again needs the room, and owes nothing.
 */
export function contractOwed(
  step: DataStep,
  current: Pick<ReleaseRecord, 'id' | 'contract'>,
  readsNoOlder: boolean,
): ContractRecord | null {
  if (step === 'contract') return { state: 'due', from: current.id }
  return readsNoOlder && current.contract?.state === 'due' ? current.contract : null
}

/** Runs the hook if the release that serves owes it and nothing is beside it any more. */
export function contractIfDue(app: App, books: ReleaseBooks): void {
  if (app.isStopped || app.standbyGroup !== null || underWay.has(app)) return
  const { release } = app.activeGroup.generation
  const record = books.release(app.name, release.id)
  const contract = record?.contract ?? null
  if (contract === null || record?.outcome !== 'promoted' || !['due', 'running'].includes(contract.state)) return
  underWay.add(app)
  void run(app, books, release.id, contract).finally(() => underWay.delete(app))
}

async function run(app: App, books: ReleaseBooks, release: string, contract: ContractRecord): Promise<void> {
  const { generation } = app.activeGroup
  books.note(app.name, release, { contract: { ...contract, state: 'running' } })
  const facts = { release, from: contract.from, step: 'done', outcome: 'promoted', why: null }
  const no = await askHook(app, generation, 'contract', facts)
  books.note(app.name, release, { contract: { ...contract, state: no === null ? 'done' : 'failed' } })
  if (no === null) app.record('dataContracted', `${release} needs no older data any more`, 'hook contract')
  else app.record('hookFailed', no.why, 'hook contract', 'warn')
}
