// Points at which a test program may hold the supervisor still, to kill or stop it or its workers right there: at a step
// that is known by name, and not after a time that somebody guessed.
//
// With SUPERVISE_TEST_FAULTS, a directory that the test program has made, in the environment that the supervisor was started
// with, it writes each point that it reaches into `trace`. Where `armed` names the point (`worker.ready 2` is the second time
// that it is reached), it deletes that file, writes `held` and waits, whole process and all, until somebody opens the FIFO
// `go` for writing. Without the variable `reached` is one comparison. Workers never get the variable: nothing that begins
// with SUPERVISE_ is inherited by an app.

import { appendFileSync, closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/** In the order of an operation, with what has happened by then and what has not. */
export const FAULT_POINTS = {
  'worker.forking': 'there is no process yet; its output is',
  'worker.forked': 'there is a process that nothing is written down of',
  'worker.linked': 'it has dialled in, and has been told nothing',
  'worker.ready': 'it is ready, and nothing is lent to it',
  'worker.serving': 'it accepts on all of its slots',
  'worker.standby': 'it is ready, and its group has no public traffic',
  'worker.draining': 'it is to drain, and was told nothing',
  'worker.withdrawn': 'its slots are taken from it; it knows of no drain',
  'worker.stopping': 'it has drained and was sent no signal',
  'worker.exited': 'its end was seen, and nothing has followed from it',
  'reload.begun': 'the configuration is read, and nothing was started',
  'reload.replaced': 'every worker is of the new generation, and the books say the old one',
  'reload.moved': 'the app is of the new generation',
  'rollout.starting': 'written down; the second group is about to start (and so on for each step)',
  'rollout.ready': '',
  'rollout.smoking': '',
  'rollout.awaiting': '',
  'rollout.flipping': '',
  'rollout.baking': '',
  'rollout.retiring': '',
  'rollout.endingOld': '',
  'rollout.goingBack': '',
  'rollout.heldUp': '',
  'rollout.withdrawn': '',
  'rollout.endingNew': '',
  'rollout.done': '',
  'flip.begun': 'no worker was told',
  'flip.told': 'every worker has answered, and nothing is written down',
  'flip.active': 'it is written down; the slots are where they were',
  'flip.done': 'the slots have followed',
  'adoption.locked': 'it has the lock, and has read nothing',
  'adoption.read': 'it knows what there was; nobody can dial in',
  'adoption.open': 'workers dial in; the control socket answers',
  'adoption.found': 'every worker that lives was heard of',
  'adoption.agreed': 'the active group is what the workers were told last',
  'adoption.done': 'each group is of one generation',
  'stop.begun': 'nobody was told to drain',
  'stop.drained': 'no worker is left and nothing listens; nobody was told',
  'stop.ended': 'nothing is left to run; the files are there',
  'state.writing': 'the state in memory is newer than the file',
  'state.drafted': 'the draft is whole and not in place',
  'state.written': 'it is in place',
  'releases.writing': 'the books in memory are newer than the file',
  'releases.drafted': 'the draft is whole and not in place',
  'releases.written': 'it is in place',
  'upgrade.dryRun': 'nothing was touched',
  'upgrade.started': 'the new supervisor runs, and has nothing',
  'upgrade.prepared': 'the new one waits for its turn',
  'upgrade.released': 'the old one has let go; the new one has nothing yet',
  'upgrade.taken': 'the new one has everything; the old one is still there',
} as const

export type FaultPoint = keyof typeof FAULT_POINTS

/** What `held` says. */
export interface Held {
  readonly point: FaultPoint
  /** The supervisor. */
  readonly pid: number
  /** The worker that the step is about; null where it is about none. */
  readonly worker: number | null
}

const DIRECTORY = process.env['SUPERVISE_TEST_FAULTS']

/** The step at `point` is reached; `worker` is the process that it is about. */
export function reached(point: FaultPoint, worker?: number): void {
  if (DIRECTORY !== undefined) look(DIRECTORY, point, worker ?? null)
}

function look(directory: string, point: FaultPoint, worker: number | null): void {
  appendFileSync(join(directory, 'trace'), `${point}\n`)
  const armed = join(directory, 'armed')
  const [wanted, times] = readOrEmpty(armed).split(' ')
  if (wanted !== point) return
  // The next supervisor has the same environment, and must not be held at the same point.
  if (Number(times) > 1) return replace(armed, `${point} ${Number(times) - 1}`)
  rmSync(armed)
  const held: Held = { point, pid: process.pid, worker }
  replace(join(directory, 'held'), JSON.stringify(held))
  // A FIFO opens when its other end does.
  closeSync(openSync(join(directory, 'go'), 'r'))
}

function replace(file: string, text: string): void {
  const draft = `${file}.draft`
  writeFileSync(draft, text)
  renameSync(draft, file)
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
