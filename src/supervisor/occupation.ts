// How long an instance lives: as long as something is under way or is to run.

export class Occupation {
  /** Resolves when nothing is left to run. */
  readonly ended: Promise<void>
  readonly #isIdle: () => boolean
  #end: () => void = () => {}
  #underWay = 0

  /** `isIdle` is asked when nothing is under way. */
  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  async during<Result>(body: () => Promise<Result>): Promise<Result> {
    this.#underWay += 1
    try {
      return await body()
    } finally {
      this.#underWay -= 1
      // Also after what was under way when the last app was stopped.
      setImmediate(() => {
        if (this.#underWay === 0 && this.#isIdle()) this.#end()
      })
    }
  }

  end(): void {
    this.#end()
  }
}
