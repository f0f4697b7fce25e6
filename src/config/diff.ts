// What differs between two configurations of an app, in the words of the options, and what it takes to apply it.

import type { ConfigChange } from '../control/messages.ts'
import type { AppConfig } from './app-config.ts'
import { NEED_AGENT } from './command.ts'
import { HOOK_NAMES, OPTIONS } from './options.ts'
import type { OptionKey, OptionSpec } from './options.ts'

interface Shown {
  readonly option: OptionKey
  /** As the option's parser would have given it; undefined is not set. */
  readonly value: unknown
  readonly applies: ConfigChange['applies']
}

type Show = (config: AppConfig) => readonly Shown[]

function shown(option: OptionKey, field: keyof AppConfig, applies: ConfigChange['applies']): Show {
  return (config) => [{ option, value: config[field] ?? undefined, applies }]
}

/**
 * Every field of a configuration, as options. `reload` is what a process learns when it is started; the rest is read by
 * the supervisor each time that it decides something. Variables are compared by themselves.
 */
const FIELDS: { readonly [Field in Exclude<keyof AppConfig, 'env'>]: Show } = {
  name: shown('name', 'name', 'reload'),
  script: ({ script, isCommand }) => [{ option: 'script', value: isCommand ? undefined : script, applies: 'reload' }],
  isCommand: ({ script, args, isCommand }) => [
    { option: 'command', value: isCommand ? [script, ...args] : undefined, applies: 'reload' },
  ],
  listen: ({ listen }) => [
    { option: 'listen', value: (listen ?? []).length === 0 ? undefined : listen, applies: 'reload' },
  ],
  args: ({ args, isCommand }) => [{ option: 'args', value: isCommand ? undefined : args, applies: 'reload' }],
  cwd: shown('cwd', 'cwd', 'reload'),
  nodeArgs: shown('nodeArgs', 'nodeArgs', 'reload'),
  node: shown('node', 'node', 'reload'),
  workers: shown('workers', 'workers', 'live'),
  ready: shown('ready', 'ready', 'live'),
  readyTimeoutMs: shown('readyTimeout', 'readyTimeoutMs', 'live'),
  minReadyMs: shown('minReady', 'minReadyMs', 'live'),
  hangTimeoutMs: shown('hangTimeout', 'hangTimeoutMs', 'live'),
  liveness: ({ liveness }) => [
    { option: 'liveness.http', value: liveness?.path, applies: 'live' },
    { option: 'liveness.every', value: liveness?.everyMs, applies: 'live' },
    { option: 'liveness.within', value: liveness?.withinMs, applies: 'live' },
    { option: 'liveness.failures', value: liveness?.failures, applies: 'live' },
  ],
  drainTimeoutMs: shown('drainTimeout', 'drainTimeoutMs', 'live'),
  drainSpreadMs: shown('drainSpread', 'drainSpreadMs', 'live'),
  stopSignal: shown('stopSignal', 'stopSignal', 'live'),
  killTimeoutMs: shown('killTimeout', 'killTimeoutMs', 'live'),
  treeKill: shown('treeKill', 'treeKill', 'live'),
  restart: shown('restart', 'restart', 'live'),
  backoffMs: shown('backoff.first', 'backoffMs', 'live'),
  maxBackoffMs: shown('backoff.max', 'maxBackoffMs', 'live'),
  minUptimeMs: shown('minUptime', 'minUptimeMs', 'live'),
  maxRestarts: shown('maxRestarts', 'maxRestarts', 'live'),
  restartWindowMs: shown('window', 'restartWindowMs', 'live'),
  failedRetryMs: shown('failedRetry', 'failedRetryMs', 'live'),
  maxMemoryBytes: shown('maxMemory', 'maxMemoryBytes', 'live'),
  maxAgeMs: shown('maxAge', 'maxAgeMs', 'live'),
  maxRequests: shown('maxRequests', 'maxRequests', 'live'),
  replaceAdoptedMs: shown('replaceAdopted', 'replaceAdoptedMs', 'live'),
  maxRequestsPerConnection: shown('maxRequestsPerConnection', 'maxRequestsPerConnection', 'reload'),
  maxSurge: shown('maxSurge', 'maxSurge', 'live'),
  slots: shown('slots', 'slots', 'reload'),
  loansPerSlot: shown('loansPerSlot', 'loansPerSlot', 'live'),
  strategy: shown('strategy', 'strategy', 'live'),
  autoPromote: shown('autoPromote', 'autoPromote', 'live'),
  bakeMs: shown('bake', 'bakeMs', 'live'),
  bakeMinRequests: shown('bakeMinRequests', 'bakeMinRequests', 'live'),
  maxErrorRatio: shown('maxErrorRatio', 'maxErrorRatio', 'live'),
  abortDelayMs: shown('abortDelay', 'abortDelayMs', 'live'),
  rollbackWindowMs: shown('rollbackWindow', 'rollbackWindowMs', 'live'),
  progressDeadlineMs: shown('progressDeadline', 'progressDeadlineMs', 'live'),
  preview: shown('preview', 'preview', 'live'),
  groupHeader: shown('groupHeader', 'groupHeader', 'reload'),
  releaseHeader: ({ releaseHeader }) => [{ option: 'releaseHeader', value: releaseHeader ?? false, applies: 'reload' }],
  smoke: shown('smoke', 'smoke', 'live'),
  hooks: ({ hooks }) => HOOK_NAMES.map((name) => ({ option: `hooks.${name}`, value: hooks[name], applies: 'live' })),
  log: ({ log }) => [
    { option: 'log.level', value: log.level ?? undefined, applies: 'live' },
    { option: 'log.file', value: log.file?.path, applies: 'live' },
    { option: 'log.stdout', value: log.stdout ?? undefined, applies: 'live' },
    { option: 'log.maxSize', value: log.file?.maxSizeBytes, applies: 'live' },
    { option: 'log.every', value: log.file?.everyMs, applies: 'live' },
    { option: 'log.keep', value: log.file?.keep, applies: 'live' },
    { option: 'log.maxTotal', value: log.file?.maxTotalBytes, applies: 'live' },
    { option: 'log.gzip', value: log.file?.gzip, applies: 'live' },
    { option: 'log.multiline', value: log.multiline, applies: 'reload' },
    { option: 'log.redact', value: log.redact.length === 0 ? undefined : log.redact, applies: 'live' },
  ],
  heapSnapshotNearLimit: shown('heapSnapshotNearLimit', 'heapSnapshotNearLimit', 'reload'),
  notify: shown('notify', 'notify', 'live'),
  slo: shown('slo', 'slo', 'live'),
  probes: shown('probes', 'probes', 'live'),
  tracing: ({ tracing }) => [
    { option: 'tracing.otlp', value: tracing?.otlp, applies: 'reload' },
    { option: 'tracing.ratio', value: tracing?.ratio, applies: 'reload' },
  ],
  mergeMetrics: shown('metrics.merge', 'mergeMetrics', 'live'),
  watch: ({ watch }) => [
    { option: 'watch.paths', value: watch?.paths, applies: 'live' },
    { option: 'watch.ignore', value: watch?.ignore, applies: 'live' },
    { option: 'watch.quiet', value: watch?.quietMs, applies: 'live' },
  ],
}

/** Every option as it is in force, by its name; variables are left out, and so is what is not set. */
export function describeOptions(config: AppConfig): Readonly<Record<string, string>> {
  const entries = Object.values(FIELDS).flatMap((show) => show(config))
  const isMeant = ({ option, value }: Shown) =>
    value !== undefined && !(config.isCommand && NEED_AGENT.includes(option))
  return Object.fromEntries(entries.filter(isMeant).map((one) => [one.option, textOf(one)]))
}

/** Of variables only the names are told: their values may be secrets. */
export function diffConfig(before: AppConfig, after: AppConfig): readonly ConfigChange[] {
  const options = Object.values(FIELDS).flatMap((show) => {
    const olds = show(before)
    return show(after).flatMap((now, index) => changeOf(olds[index], now))
  })
  return [...options, ...diffEnvironment(before.env, after.env)]
}

function changeOf(before: Shown | undefined, after: Shown): readonly ConfigChange[] {
  const from = before?.value === undefined ? null : textOf(before)
  const to = after.value === undefined ? null : textOf(after)
  // Of a secret only that it has changed is told: its text may be the same, or says nothing.
  if (isSecret(after.option) && JSON.stringify(before?.value) !== JSON.stringify(after.value)) {
    const isSaid = from !== to && after.option !== 'groupHeader'
    const [old, now] = isSaid ? [from, to] : [null, null]
    return [{ option: after.option, kind: kindOf(from, to), from: old, to: now, applies: after.applies }]
  }
  if (from === to) return []
  return [{ option: after.option, kind: kindOf(from, to), from, to, applies: after.applies }]
}

/** Whose text is not all of it. */
function isSecret(option: OptionKey): boolean {
  return option === 'groupHeader' || option === 'notify' || option.startsWith('hooks.')
}

function diffEnvironment(before: AppConfig['env'], after: AppConfig['env']): readonly ConfigChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({
      option: `env.${name}`,
      kind: kindOf(before[name] ?? null, after[name] ?? null),
      from: null,
      to: null,
      applies: 'reload',
    }))
}

function kindOf(from: string | null, to: string | null): ConfigChange['kind'] {
  if (from === null) return 'added'
  return to === null ? 'removed' : 'changed'
}

function textOf({ option, value }: Shown): string {
  const { parser }: OptionSpec<unknown> = OPTIONS[option]
  return parser.format(value)
}
