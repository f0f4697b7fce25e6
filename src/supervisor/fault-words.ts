// What a fault of a rehearsal does, in words.

import type { FaultKind } from '../core/chaos.ts'

export { FAULT_KINDS } from '../core/chaos.ts'

export function faultWords(kind: FaultKind): string {
  switch (kind) {
    case 'kill':
      return 'SIGKILL to a worker'
    case 'stop':
      return 'SIGSTOP to a worker, until the hang time-out ends it or its time is over'
    case 'hang':
      return "a worker's event loop is blocked, until the hang time-out ends it or its time is over"
    case 'memory':
      return 'a worker takes memory, past maxMemory where there is one, and lets go of it'
    case 'delay':
      return "a worker's event loop is late again and again"
    case 'supervisor':
      return 'SIGKILL to the supervisor, which is brought back'
  }
}

/** As in "worker 2 (pid 41) is killed". */
export function faultHappens(kind: FaultKind, worker: { readonly id: number; readonly pid: number } | null): string {
  const whom = worker === null ? 'the supervisor' : `worker ${worker.id} (pid ${worker.pid})`
  return `${whom} ${DONE[kind]}`
}

const DONE: Readonly<Record<FaultKind, string>> = {
  kill: 'is killed',
  stop: 'is stopped (SIGSTOP)',
  hang: 'hangs: its event loop is blocked',
  memory: 'takes memory',
  delay: 'is slow: its event loop is late again and again',
  supervisor: 'is killed',
}
