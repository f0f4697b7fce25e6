// OpenTelemetry as the user has installed it, looked for beside the app: ours would be another version than the one that the
// app may use itself. Only what is the same in its versions 2 and 3 is used of it.

import { createRequire } from 'node:module'
import type * as Api from '@opentelemetry/api'

import { SpanQueue, type ReadSpan } from './span-queue.ts'
import { tracesUrl } from './span-shape.ts'

export type OpenTelemetry = typeof Api

const API = '@opentelemetry/api'
const EXPORTER = '@opentelemetry/exporter-trace-otlp-http'
/** What it is called from version 3 on comes first. */
const SDK = ['@opentelemetry/sdk-trace', '@opentelemetry/sdk-trace-base'] as const
const RESOURCES = '@opentelemetry/resources'

/** A batch that is not taken by then is lost: the app's end must not wait for it for long. */
const EXPORT_TIMEOUT_MS = 3000

/** Some of it is not there; a message says what to install. */
export class NotInstalled extends Error {}

interface Resource {
  merge(other: Resource): Resource
}

interface Sampler {
  shouldSample(...facts: readonly unknown[]): unknown
}

export interface IdGenerator {
  generateTraceId(): string
  generateSpanId(): string
}

interface ProviderOptions {
  readonly resource: Resource
  readonly sampler: Sampler
  readonly spanProcessors: readonly unknown[]
  readonly idGenerator?: IdGenerator
}

type Provider = new (options: ProviderOptions) => Api.TracerProvider

interface SdkModule {
  readonly TracerProvider?: Provider
  readonly BasicTracerProvider?: Provider
  readonly ParentBasedSampler: new (options: { readonly root: Sampler }) => Sampler
  readonly TraceIdRatioBasedSampler: new (ratio: number) => Sampler
}

interface ResourcesModule {
  readonly envDetector: unknown
  defaultResource(): Resource
  detectResources(options: { readonly detectors: readonly unknown[] }): Resource
}

interface ExportResult {
  readonly code: number
  readonly error?: Error
}

interface ExporterModule {
  readonly OTLPTraceExporter: new (options: { readonly url: string; readonly timeoutMillis: number }) => {
    export(spans: readonly ReadSpan[], done: (result: ExportResult) => void): void
  }
}

export interface TracerOptions {
  /** The app's main module. */
  readonly script: string
  readonly otlp: string
  readonly ratio: number
  readonly idGenerator?: IdGenerator
  /** Hears how each batch fared: why it was lost, or null. */
  readonly told: (problem: string | null) => void
}

export interface OwnTracer {
  readonly api: OpenTelemetry
  readonly tracer: Api.Tracer
  readonly queue: SpanQueue<ReadSpan>
}

/** The app's own copy of the API; null when it has none. */
export function findApi(script: string): OpenTelemetry | null {
  const require = createRequire(script)
  return find(require, API) === null ? null : (require(API) as OpenTelemetry)
}

/** A tracer that belongs to nobody else: the app's global one stays the app's to set. Throws `NotInstalled`, or what it throws. */
export function makeTracer(options: TracerOptions): OwnTracer {
  const { script, ratio, idGenerator } = options
  const require = createRequire(script)
  const sdkName = SDK.find((name) => find(require, name) !== null)
  const missing = [API, ...(sdkName === undefined ? [SDK[0]] : []), EXPORTER].filter((name) => !find(require, name))
  if (sdkName === undefined || missing.length > 0) throw new NotInstalled(installWords(missing))
  const api = require(API) as OpenTelemetry
  const sdk = require(sdkName) as SdkModule
  // Beside the SDK: it may be another version that is beside the app.
  const resources = createRequire(require.resolve(sdkName))(RESOURCES) as ResourcesModule
  const queue = makeQueue(api, require(EXPORTER) as ExporterModule, options)
  const Tracers = sdk.TracerProvider ?? sdk.BasicTracerProvider
  if (Tracers === undefined) throw new Error(`${sdkName} has no TracerProvider`)
  const provider = new Tracers({
    resource: resources.defaultResource().merge(resources.detectResources({ detectors: [resources.envDetector] })),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [queue],
    ...(idGenerator && { idGenerator }),
  })
  return { api, tracer: provider.getTracer('supervise'), queue }
}

function makeQueue(api: OpenTelemetry, { OTLPTraceExporter }: ExporterModule, { otlp, told }: TracerOptions) {
  const exporter = new OTLPTraceExporter({ url: tracesUrl(otlp), timeoutMillis: EXPORT_TIMEOUT_MS })
  // Where the app traces the requests that it makes, this is none of them.
  const unseen = api.ROOT_CONTEXT.setValue(api.createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)
  return new SpanQueue<ReadSpan>((spans, done) => {
    const finish = ({ code, error }: ExportResult): void => done(code === 0 ? null : whyNotSent(error))
    api.context.with(unseen, () => exporter.export(spans, finish))
  }, told)
}

function find(require: NodeJS.Require, name: string): string | null {
  try {
    return require.resolve(name)
  } catch {
    return null
  }
}

function installWords(missing: readonly string[]): string {
  const verb = missing.length === 1 ? 'is' : 'are'
  return `${missing.join(' and ')} ${verb} not installed beside the app; \`npm install ${missing.join(' ')}\` there, then reload it`
}

function whyNotSent(error: Error | undefined): string {
  const { code, message = 'it was not taken' }: Partial<NodeJS.ErrnoException> = error ?? {}
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  return message === '' ? String(code) : message
}
