// Sending a signal to a process that may be gone by the time that it is sent.

/** A negative target is a process group. False when nobody is there any more: its exit is on its way. */
export function postSignal(target: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(target, signal)
    return true
  } catch {
    return false
  }
}

/** What a process that is gone has left in its group; as a rule there is nothing. */
export function killGroup(leader: number): void {
  postSignal(-leader, 'SIGKILL')
}
