// Latencies in log-linear buckets: constant memory for any number of requests, percentiles within 2 %.

const STEPS_PER_OCTAVE = 32
const OCTAVES = 32

export interface Percentiles {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export class Latencies {
  readonly #buckets = new Uint32Array(STEPS_PER_OCTAVE * OCTAVES)
  #count = 0
  #sum = 0
  #max = 0

  add(ms: number): void {
    const micros = Math.max(1, ms * 1_000)
    const bucket = Math.min(Math.floor(Math.log2(micros) * STEPS_PER_OCTAVE), this.#buckets.length - 1)
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#count++
    this.#sum += ms
    if (ms > this.#max) this.#max = ms
  }

  percentiles(): Percentiles {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : round(this.#sum / this.#count),
      p50: this.#at(0.5),
      p90: this.#at(0.9),
      p99: this.#at(0.99),
      p999: this.#at(0.999),
      max: round(this.#max),
    }
  }

  #at(share: number): number {
    let left = Math.ceil(this.#count * share)
    if (left === 0) return 0
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count
      if (left <= 0) return round(Math.min(2 ** ((bucket + 1) / STEPS_PER_OCTAVE) / 1_000, this.#max))
    }
    return round(this.#max)
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
