// From an app's settings to its whole configuration: defaults, paths, environment, and what must fit together.

import { dirname } from 'node:path'
import type { AppConfig, LivenessProbe, LogConfig, TracingConfig, WatchConfig } from './app-config.ts'
import { checkCommand, optionsOfCommand, programOf, type AddMistake, OF_STANDBY } from './command.ts'
import { inheritable, mergeEnvironments, readEnvFile } from './environment.ts'
import type { Mistake } from './mistakes.ts'
import { askNode } from './node-binary.ts'
import { HOOK_NAMES } from './options.ts'
import type { OptionKey } from './options.ts'
import { isRecord, quote } from './parser.ts'
import { formatDuration } from './quantities.ts'
import { isDirectory, nameOfScript, problemOfScript } from './script.ts'
import { readSettings } from './settings.ts'
import type { AppInput, Layer, Settings } from './settings.ts'

/** `config` is null when a mistake leaves nothing to make one of; with any mistake it must not be used. */
export interface ResolvedApp {
  readonly config: AppConfig | null
  readonly mistakes: readonly Mistake[]
  /** Of where the code is: none to whoever knows another place for it. */
  readonly misplaced: readonly Mistake[]
}

const ALWAYS_IGNORED = ['node_modules', '.git']

export async function resolveApp(input: AppInput): Promise<ResolvedApp> {
  const { settings, mistakes } = await readSettings(input)
  if (input.entry !== null && !isRecord(input.entry.options)) return { config: null, mistakes, misplaced: [] }
  const misplaced: Mistake[] = []
  const add = (key: OptionKey, problem: string) => mistakes.push({ origin: settings.originOf(key), problem })
  const misplace = (key: 'script' | 'command' | 'cwd', problem: string) =>
    misplaced.push({ origin: settings.originOf(key), problem })

  const directory = input.document === null ? input.source.directory : dirname(input.document.file)
  const cwd = settings.get('cwd') ?? directory
  if (!isDirectory(cwd)) misplace('cwd', `${quote(cwd)} is not a directory; create it, or correct the path`)
  const env = environmentOf(settings, input.source.environment, add)
  checkTogether(settings, add)
  const node = await nodeOf(settings, input.source.environment, add)

  // Already refused for its own value, if it was given at all.
  const isRefused = (key: OptionKey) => mistakes.some(({ origin }) => sameOrigin(origin, settings, key))
  const program = settings.get('command') === null ? settings.get('script') : programOf(settings, env, misplace)
  if (program === null) {
    if (!isRefused('script') && !isRefused('command'))
      add('script', 'is missing; write the app\'s main file, such as "app.js", or a program as `command`')
    return { config: null, mistakes, misplaced }
  }
  const isCommand = settings.get('command') !== null
  const scriptProblem = isCommand ? null : problemOfScript(program, cwd, directory)
  if (scriptProblem !== null) misplace('script', scriptProblem)
  const name = settings.get('name') ?? nameOfScript(program)
  if (name === null) {
    add('name', `cannot be made from the ${isCommand ? 'command' : 'script'} ${quote(program)}; write one`)
    return { config: null, mistakes, misplaced }
  }
  const [log, watch] = [logOf(settings, name), watchOf(settings, cwd)]
  const plain = { ...plainOptions(settings), ...(isCommand && optionsOfCommand(settings)) }
  const config = { name, script: program, isCommand, cwd, env, node, ...plain, log, watch }
  return { config, mistakes, misplaced }
}

function sameOrigin(origin: Mistake['origin'], settings: Settings, key: OptionKey): boolean {
  return JSON.stringify(origin) === JSON.stringify(settings.originOf(key))
}

/** The options that are what they are, whatever the others are. */
function plainOptions(settings: Settings) {
  return {
    listen: settings.get('listen'),
    args: settings.get('args'),
    nodeArgs: settings.get('nodeArgs'),
    workers: settings.get('workers'),
    ready: settings.get('ready'),
    readyTimeoutMs: settings.get('readyTimeout'),
    minReadyMs: settings.get('minReady'),
    hangTimeoutMs: settings.get('hangTimeout'),
    liveness: livenessOf(settings),
    drainTimeoutMs: settings.get('drainTimeout'),
    drainSpreadMs: settings.get('drainSpread'),
    stopSignal: settings.get('stopSignal'),
    killTimeoutMs: settings.get('killTimeout'),
    treeKill: settings.get('treeKill'),
    restart: settings.get('restart'),
    backoffMs: settings.get('backoff.first'),
    maxBackoffMs: settings.get('backoff.max'),
    minUptimeMs: settings.get('minUptime'),
    maxRestarts: settings.get('maxRestarts'),
    restartWindowMs: settings.get('window'),
    failedRetryMs: settings.get('failedRetry'),
    maxMemoryBytes: settings.get('maxMemory'),
    maxAgeMs: settings.get('maxAge'),
    maxRequests: settings.get('maxRequests'),
    replaceAdoptedMs: settings.get('replaceAdopted'),
    maxRequestsPerConnection: settings.get('maxRequestsPerConnection'),
    maxSurge: settings.get('maxSurge'),
    slots: settings.get('slots'),
    loansPerSlot: settings.get('loansPerSlot'),
    strategy: settings.get('strategy'),
    autoPromote: settings.get('autoPromote'),
    bakeMs: settings.get('bake'),
    bakeMinRequests: settings.get('bakeMinRequests'),
    maxErrorRatio: settings.get('maxErrorRatio'),
    abortDelayMs: settings.get('abortDelay'),
    rollbackWindowMs: settings.get('rollbackWindow'),
    progressDeadlineMs: settings.get('progressDeadline'),
    preview: settings.get('preview'),
    groupHeader: settings.get('groupHeader'),
    releaseHeader: settings.get('releaseHeader') || null,
    smoke: settings.get('smoke'),
    hooks: hooksOf(settings),
    heapSnapshotNearLimit: settings.get('heapSnapshotNearLimit'),
    notify: settings.get('notify'),
    slo: settings.get('slo'),
    probes: settings.get('probes'),
    tracing: tracingOf(settings),
    mergeMetrics: settings.get('metrics.merge'),
  } satisfies Partial<AppConfig>
}

function tracingOf(settings: Settings): TracingConfig | null {
  const otlp = settings.get('tracing.otlp')
  return otlp === null ? null : { otlp, ratio: settings.get('tracing.ratio') }
}

function livenessOf(settings: Settings): LivenessProbe | null {
  const path = settings.get('liveness.http')
  if (path === null) return null
  return {
    path,
    everyMs: settings.get('liveness.every'),
    withinMs: settings.get('liveness.within'),
    failures: settings.get('liveness.failures'),
  }
}

function hooksOf(settings: Settings): AppConfig['hooks'] {
  return Object.fromEntries(
    HOOK_NAMES.flatMap((name) => {
      const hook = settings.get(`hooks.${name}`)
      return hook === null ? [] : [[name, hook]]
    }),
  )
}

function logOf(settings: Settings, app: string): LogConfig {
  const path = settings.get('log.file')
  const file = path === null ? null : { path: path.replaceAll('{app}', app), ...rotationOf(settings) }
  return {
    level: settings.get('log.level'),
    file,
    stdout: settings.get('log.stdout'),
    multiline: settings.get('log.multiline'),
    redact: settings.get('log.redact'),
  }
}

function rotationOf(settings: Settings) {
  return {
    maxSizeBytes: settings.get('log.maxSize'),
    everyMs: settings.get('log.every'),
    keep: settings.get('log.keep'),
    maxTotalBytes: settings.get('log.maxTotal'),
    gzip: settings.get('log.gzip'),
  }
}

/** The strongest layer that says anything about watching decides whether it is done. */
function watchOf(settings: Settings, cwd: string): WatchConfig | null {
  const layers: readonly Layer[] = ['flag', 'variable', 'file']
  const says = (layer: Layer) => ({
    watch: settings.in(layer, 'watch'),
    paths: settings.in(layer, 'watch.paths') ?? undefined,
    more: settings.in(layer, 'watch.ignore') ?? settings.in(layer, 'watch.quiet'),
  })
  const said = layers.map(says)
  const strongest = said.find(
    ({ watch, paths, more }) => watch !== undefined || paths !== undefined || more !== undefined,
  )
  if (strongest === undefined || strongest.watch === false) return null
  const paths = said.map(({ watch, paths: own }) => own ?? (typeof watch === 'object' ? watch : undefined))
  return {
    paths: paths.find((list) => list !== undefined) ?? [cwd],
    ignore: [...ALWAYS_IGNORED, ...settings.get('watch.ignore')],
    quietMs: settings.get('watch.quiet'),
  }
}

async function nodeOf(
  settings: Settings,
  environment: Readonly<Record<string, string>>,
  add: AddMistake,
): Promise<string | null> {
  const file = settings.get('node')
  if (file === null) return null
  const found = await askNode(file, environment)
  if (found.ok) return found.execPath
  add('node', found.problem)
  return null
}

/** Inherited < files < the config's env < its port < flags, of which --port is the last word. */
function environmentOf(settings: Settings, inherited: Readonly<Record<string, string>>, add: AddMistake) {
  const files = settings.get('envFile').map((file) => readEnvFile(file))
  for (const file of files) if (!file.ok) add('envFile', file.problem)
  const layers: readonly Layer[] = ['file', 'variable', 'flag']
  const own = layers.flatMap((layer) => {
    const port = settings.in(layer, 'port')
    return [settings.in(layer, 'env') ?? {}, port === undefined ? {} : { PORT: String(port) }]
  })
  return mergeEnvironments([inheritable(inherited), ...files.map((file) => (file.ok ? file.variables : {})), ...own])
}

/** What is right by itself and wrong with something else. */
function checkTogether(settings: Settings, add: AddMistake): void {
  const [first, max] = [settings.get('backoff.first'), settings.get('backoff.max')]
  const [firstText, maxText] = [quote(formatDuration(first)), quote(formatDuration(max))]
  if (first > max && settings.layerOf('backoff.first') !== null) {
    add('backoff.first', `${firstText} is longer than backoff.max, which is ${maxText}`)
  } else if (first > max) add('backoff.max', `${maxText} is shorter than backoff.first, which is ${firstText}`)

  const probe: readonly OptionKey[] = ['liveness.every', 'liveness.within', 'liveness.failures']
  const set = probe.find((key) => settings.layerOf(key) !== null)
  if (set !== undefined && settings.layerOf('liveness.http') === null) {
    add(set, 'does nothing without liveness.http; write a path for it, such as "/livez"')
  }

  const ofFile: readonly OptionKey[] = ['log.maxSize', 'log.every', 'log.keep', 'log.maxTotal', 'log.gzip']
  if (settings.layerOf('log.file') === null) {
    for (const key of ofFile.filter((one) => settings.layerOf(one) !== null))
      add(key, 'does nothing without log.file; write a path for it, such as "logs/{app}.log"')
  }

  if (settings.layerOf('tracing.ratio') !== null && settings.layerOf('tracing.otlp') === null)
    add('tracing.ratio', 'does nothing without tracing.otlp; write a URL for it, such as "http://localhost:4318"')

  checkCommand(settings, add)
  if (settings.get('strategy') !== 'rolling' || settings.layerOf('command') !== null) return
  for (const key of OF_STANDBY.filter((one) => settings.layerOf(one) !== null)) {
    add(key, 'does nothing with strategy "rolling", which has no second group; leave it out, or write "blue-green"')
  }
}
