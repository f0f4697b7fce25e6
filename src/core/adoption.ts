// Which generation goes on when a supervisor died in the middle of a reload and left processes of several: the one that
// restarts are made from, as long as it serves by itself, since nothing newer was proven; else a newer one that does.

export interface LeftProcess {
  readonly worker: number
  readonly generation: number
  /** Serves or can, and was not told to leave. */
  readonly isServing: boolean
}

export interface LeftGeneration {
  readonly number: number
  /** How many workers it is to have. */
  readonly wanted: number
}

/** The number of the generation to go on with; `current` is the one that restarts were made from. */
export function chooseGeneration(
  current: LeftGeneration,
  others: readonly LeftGeneration[],
  left: readonly LeftProcess[],
): number {
  const newestFirst = others.toSorted((a, b) => b.number - a.number)
  const whole = [current, ...newestFirst].find((generation) => servesByItself(generation, left))
  return (whole ?? current).number
}

function servesByItself({ number, wanted }: LeftGeneration, left: readonly LeftProcess[]): boolean {
  const serving = new Set(left.filter((one) => one.generation === number && one.isServing).map((one) => one.worker))
  for (let worker = 1; worker <= wanted; worker += 1) if (!serving.has(worker)) return false
  return wanted > 0
}
