// Keeps state.json, the memory of a supervisor across its death. Where it cannot be written the workers serve on, it is said once,
// and tried again until it works, whether or not anything changes meanwhile.

import { whyNotWritten } from '../config/why-not-written.ts'
import { writeState, type InstanceState } from '../state/instance-state.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { InstanceDirectory } from './instance-directory.ts'
import { readHolder, writeHolder } from './lock-holder.ts'

const AGAIN_MS = 2000

export class StateWriter {
  readonly #directory: InstanceDirectory
  readonly #events: Pick<EventLog, 'record'>
  readonly #again: () => void
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false

  /** `again` asks for the state as it is then, and writes it. */
  constructor(directory: InstanceDirectory, events: Pick<EventLog, 'record'>, again: () => void) {
    this.#directory = directory
    this.#events = events
    this.#again = again
  }

  write(state: InstanceState): void {
    clearTimeout(this.#timer)
    const { stateFile } = this.#directory
    try {
      writeState(stateFile, state)
      // A disk that was full when the lock was taken had no room for this either.
      if (readHolder(this.#directory) === null) writeHolder(this.#directory)
    } catch (error) {
      return this.#failed(`${stateFile} cannot be written, since ${whyNotWritten(error)}`)
    }
    if (this.#hasFailed) this.#tell('stateWritten', `${stateFile} could be written again`, 'info')
    this.#hasFailed = false
  }

  #failed(text: string): void {
    const isNew = !this.#hasFailed
    this.#hasFailed = true
    if (isNew)
      this.#tell('stateNotWritten', `${text}; a supervisor that follows this one would not know of now`, 'error')
    this.#timer = setTimeout(this.#again, AGAIN_MS).unref()
  }

  #tell(type: 'stateNotWritten' | 'stateWritten', text: string, level: 'info' | 'error'): void {
    this.#events.record({ type, app: null, text, cause: 'supervisor' }, level)
  }
}
