// `supervise/runtime`: the small API that an app may import. Without a supervisor everything here is harmless.

import {
  RUNTIME_BRIDGE,
  type DrainCallback,
  type MetricsRegistry,
  type RuntimeBridge,
} from './protocol/runtime-bridge.ts'

export type { DrainCallback, DrainNotice, MetricsRegistry } from './protocol/runtime-bridge.ts'

const bridge: RuntimeBridge | undefined = Reflect.get(globalThis, RUNTIME_BRIDGE)

/** Name of the app under supervision; null when the program runs by itself. */
export const app: string | null = bridge?.app ?? null

/** The worker's group, `blue` or `green`; null when the program runs by itself. */
export const group: 'blue' | 'green' | null = bridge?.group ?? null

/** Id of the release that this worker runs, such as `r12`; null when the program runs by itself. */
export const release: string | null = bridge?.release ?? null

/**
 * The worker's number in its group, from 1; null when the program runs by itself. A worker that is replaced hands its
 * number on, so `worker === 1` may do once what must not be done by every worker.
 */
export const worker: number | null = bridge?.worker ?? null

/**
 * Calls `callback` when this worker is to finish: it gets no new connections any more, and what is open is being
 * finished. Use it to stop pulling jobs from a queue, to tell WebSocket clients to go elsewhere, or to end streams. The
 * worker gets its stop signal when all connections have ended and all callbacks are done, and at the deadline at the
 * latest. A callback that throws is reported, and holds nothing up.
 *
 * It can be called again in the same process: a worker whose replacement failed serves on.
 *
 * @returns a function that takes the callback back
 * @example
 * onDrain(async ({ signal }) => {
 *   await consumer.stop({ signal })
 * })
 */
export function onDrain(callback: DrainCallback): () => void {
  if (typeof callback !== 'function') {
    throw new TypeError('Cannot register what is no function with onDrain')
  }
  return bridge?.onDrain(callback) ?? (() => {})
}

/** Metrics that the app counts by itself. */
export const metrics = {
  /**
   * Adds a `Registry` of prom-client to what the supervisor exposes: counters, histograms and summaries are summed over the
   * app's workers and never go back, gauges are put together as their `aggregator` says. The config needs no `metrics.merge`
   * for it; that is for the default registry.
   *
   * @returns a function that takes the registry back
   * @example
   * metrics.register(new Registry())
   */
  register(registry: MetricsRegistry): () => void {
    // Callers in JavaScript may give anything.
    const method: unknown = Reflect.get(Object(registry), 'getMetricsAsJSON')
    if (typeof method !== 'function') {
      throw new TypeError('Cannot register what is no Registry of prom-client with metrics.register')
    }
    return bridge?.registerMetrics?.(registry) ?? (() => {})
  },
}
