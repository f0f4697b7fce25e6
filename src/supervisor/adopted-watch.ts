// The end of a process that an earlier supervisor forked: there is no SIGCHLD for somebody else's child, but its link ends,
// and `/proc` knows it no more.

import { isSameProcess } from '../state/process-identity.ts'

const POLL_MS = 250

export function watchAdopted(
  { pid, startTime }: { readonly pid: number; readonly startTime: string | null },
  gone: () => void,
): void {
  const timer = setInterval(() => {
    if (isSameProcess(pid, startTime) && startTime !== null) return
    clearInterval(timer)
    gone()
  }, POLL_MS)
}
