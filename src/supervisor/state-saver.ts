// When what must survive the supervisor is written: once a turn of the loop, however much has changed, or at once.

export class StateSaver {
  readonly #save: () => void
  #isScheduled = false
  #isClosed = false

  constructor(save: () => void) {
    this.#save = save
  }

  soon(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.now()
    })
  }

  now(): void {
    if (!this.#isClosed) this.#save()
  }

  close(): void {
    this.#isClosed = true
  }
}
