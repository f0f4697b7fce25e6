// Spans of a worker's requests, as a collector gets them.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

import { startCollector, type CollectedSpan, type Collector } from '../support/collector.ts'
import { freePort } from '../support/free-port.ts'
import { ROOT } from '../support/releases.ts'
import { until } from '../support/until.ts'
import { Groups, NAMES } from './route/groups.ts'
import { Bench, type TestSupervisor } from './support/test-supervisor.ts'

const SOON_MS = 10_000
const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const trace = (flags = '01', traceId = PARENT.traceId) => ({
  traceparent: `00-${traceId}-${PARENT.spanId}-${flags}`,
  tracestate: 'rojo=1',
})

type Headers = Readonly<Record<string, string>>
type Kind = 'http' | 'https' | 'h2c'

async function ask(kind: Kind, port: number, path: string, headers: Headers = {}): Promise<string> {
  if (kind === 'h2c') return ask2(port, path, headers)
  const { get } = kind === 'https' ? https : http
  const request = get({ host: '127.0.0.1', port, path, headers, agent: false, rejectUnauthorized: false })
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
  return textOf(answer)
}

async function ask2(port: number, path: string, headers: Headers): Promise<string> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const text = await textOf(session.request({ ':path': path, ...headers }))
  session.close()
  return text
}

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const part of body) text += String(part)
  return text
}

/** Whatever spans a worker has, it has sent them then. */
async function drain(supervisor: TestSupervisor, pid: number): Promise<void> {
  supervisor.say(pid, { type: 'drain', deadlineMs: 5_000, spreadMs: 0 })
  await supervisor.said(pid, 'drained')
}

function drainAll({ supervisor, members }: Groups) {
  return Promise.all([...members.blue, ...members.green].map(({ pid }) => drain(supervisor, pid)))
}

function pathsOf({ spans }: Collector): readonly string[] {
  return spans.map(({ attributes }) => String(attributes['url.path'])).toSorted()
}

function spanOf({ spans }: Collector, path: string): CollectedSpan | undefined {
  return spans.find(({ attributes }) => attributes['url.path'] === path)
}

describe.each<Kind>(['http', 'https', 'h2c'])('the span of a request over %s', (kind) => {
  let groups: Groups
  afterEach(() => groups.close())

  it('is the one of the app that answers it, also when it was forwarded, and has its caller for a parent', async () => {
    const collector = await startCollector()
    groups = await Groups.start({ KIND: kind }, { tracing: { otlp: collector.url, ratio: 1 } })
    await ask(kind, groups.port, '/status?code=503&secret=1', trace())
    await groups.route('green')
    const other = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    expect(await ask(kind, groups.port, '/name', trace('01', other))).toBe(NAMES.green)
    await ask(kind, groups.port, '/plain', trace('00', other))
    await ask(kind, groups.port, '/release')
    await drainAll(groups)
    expect(pathsOf(collector)).toEqual(['/name', '/release', '/status'])

    const common = {
      'http.request.method': 'GET',
      'url.scheme': kind === 'https' ? 'https' : 'http',
      'server.address': '127.0.0.1',
      'server.port': groups.port,
      'network.protocol.version': kind === 'h2c' ? '2' : '1.1',
    }
    expect(spanOf(collector, '/status')).toMatchObject({
      name: 'GET',
      kind: 2,
      traceId: PARENT.traceId,
      parentSpanId: PARENT.spanId,
      traceState: 'rojo=1',
      status: 2,
      attributes: { ...common, 'url.path': '/status', 'http.response.status_code': 503, 'error.type': '503' },
    })
    expect(JSON.stringify(collector.spans)).not.toContain('secret')

    expect(spanOf(collector, '/release')).toMatchObject({ parentSpanId: '', traceState: '' })
    expect(spanOf(collector, '/name')).toMatchObject({
      traceId: other,
      parentSpanId: PARENT.spanId,
      attributes: common,
    })
  })
})

describe('what nobody over there answers', () => {
  let groups: Groups
  afterEach(() => groups.close())

  it('has the span of the worker that answers in its place; a probe has none', async () => {
    const collector = await startCollector()
    groups = await Groups.start({}, { tracing: { otlp: collector.url, ratio: 1 } })
    await groups.route('green')
    const probe = http.get({ socketPath: groups.members.blue[0]?.endpoint, path: '/probe', agent: false })
    await once(probe, 'response')
    await ask('http', groups.port, '/die-silent')
    // That worker is dead by now.
    expect(await ask('http', groups.port, '/name')).toBe(NAMES.blue)
    const cut = http.get({ host: '127.0.0.1', port: groups.port, path: '/open', agent: false })
    await once(cut, 'response')
    cut.destroy()
    await drain(groups.supervisor, groups.members.blue[0]?.pid ?? 0)
    expect(pathsOf(collector)).toEqual(['/die-silent', '/name', '/open'])
    expect(spanOf(collector, '/die-silent')).toMatchObject({ attributes: { 'http.response.status_code': 502 } })
    const open = spanOf(collector, '/open')
    expect(open).toMatchObject({ status: 2, attributes: { 'error.type': 'aborted' } })
    expect(open?.attributes).not.toHaveProperty('http.response.status_code')
  })
})

/** An app that sets an OpenTelemetry up by itself. */
const OWN = (url: string) => `
  const { trace } = require('@opentelemetry/api')
  const { TracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace')
  const { resourceFromAttributes } = require('@opentelemetry/resources')
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http')
  const exporter = new OTLPTraceExporter({ url: '${url}/v1/traces' })
  const resource = resourceFromAttributes({ 'service.name': 'shop' })
  const isSet = trace.setGlobalTracerProvider(
    new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] }))
  console.log('own', isSet)`

describe('a worker with traces', () => {
  let bench: Bench
  let supervisor: TestSupervisor
  afterEach(() => bench.close())

  const SERVER = `
    const http = require('node:http')
    const server = http.createServer((request, response) => response.end('x'))
    server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))`

  async function serve(source: string, otlp: string, hasModules = true) {
    bench = new Bench()
    supervisor = await bench.supervisor()
    if (hasModules) symlinkSync(join(ROOT, 'node_modules'), join(bench.directory, 'node_modules'))
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=web,supervise.group=blue' }
    return supervisor.serve(bench.app(source), { env, settings: { tracing: { otlp, ratio: 1 } } })
  }

  it('has sent the spans that it has when it says that it is drained', async () => {
    const collector = await startCollector()
    const { pid, port } = await serve(SERVER, `${collector.url}/base/`)
    expect(await supervisor.said(pid, 'tracing')).toMatchObject({ spans: 'sent', problem: null })
    for (let count = 0; count < 3; count++) await ask('http', port, '/')
    await drain(supervisor, pid)
    expect(collector.spans).toHaveLength(3)
    expect(new Set(collector.asked)).toEqual(new Set(['POST /base/v1/traces']))
    expect(collector.spans[0]?.resource).toMatchObject({ 'service.name': 'web', 'supervise.group': 'blue' })
  })

  it('loads nothing where no traces are wanted', async () => {
    bench = new Bench()
    supervisor = await bench.supervisor()
    const loaded = `setTimeout(() => console.log('loaded', Object.keys(require.cache).join(' ')), 50)`
    const { pid } = await supervisor.serve(bench.app(`${SERVER}; server.on('listening', () => ${loaded})`))
    const [, files = ''] = await supervisor.output(pid, /loaded (.*)/)
    expect(files).toContain('preload.js')
    expect(files).not.toMatch(/tracing|opentelemetry/)
  })

  it('answers and drains while the collector hangs, and says that spans are lost', async () => {
    const collector = await startCollector('hangs')
    const { pid, port } = await serve(SERVER, collector.url)
    await ask('http', port, '/')
    await until(() => collector.asked.length > 0, SOON_MS, 'the collector is asked')
    expect(await ask('http', port, '/')).toBe('x')
    supervisor.say(pid, { type: 'drain', deadlineMs: 60_000, spreadMs: 0 })
    await supervisor.said(pid, 'drained')
    const lost = await supervisor.said(pid, 'tracing', ({ spans }) => spans === 'lost')
    expect(lost.problem).toMatch(/^spans do not reach http:\/\/127\.0\.0\.1:\d+: ./)
  })

  it('says that nothing listens where the collector should be', async () => {
    const { pid, port } = await serve(SERVER, `http://127.0.0.1:${await freePort()}`)
    await ask('http', port, '/')
    const lost = await supervisor.said(pid, 'tracing', ({ spans }) => spans === 'lost')
    expect(lost.problem).toContain('nothing listens there')
  })

  it('runs without OpenTelemetry, and says what to install', async () => {
    const { pid, port } = await serve(SERVER, 'http://127.0.0.1:4318', false)
    const { spans, problem } = await supervisor.said(pid, 'tracing')
    const names = '@opentelemetry/api @opentelemetry/sdk-trace @opentelemetry/exporter-trace-otlp-http'
    expect([spans, problem]).toEqual(['lost', expect.stringContaining(`\`npm install ${names}\``)])
    expect(await ask('http', port, '/')).toBe('x')
  })

  it('runs with an OpenTelemetry that cannot be loaded', async () => {
    const source = `require('node:fs').mkdirSync(__dirname + '/node_modules/@opentelemetry/api', { recursive: true });
      for (const name of ['api', 'sdk-trace', 'exporter-trace-otlp-http']) {
        const directory = __dirname + '/node_modules/@opentelemetry/' + name
        require('node:fs').mkdirSync(directory, { recursive: true })
        require('node:fs').writeFileSync(directory + '/index.js', 'throw new Error("it is broken")')
      }${SERVER}`
    const { pid, port } = await serve(source, 'http://127.0.0.1:4318', false)
    expect((await supervisor.said(pid, 'tracing')).problem).toContain('it is broken')
    expect(await ask('http', port, '/')).toBe('x')
  })

  it('gives its spans to the OpenTelemetry that the app has set up, and has it send them at the end', async () => {
    const [collector, unused] = [await startCollector(), await startCollector()]
    const { pid, port } = await serve(OWN(collector.url) + SERVER, unused.url)
    expect(await supervisor.said(pid, 'tracing')).toMatchObject({ spans: 'given', problem: null })
    expect((await supervisor.output(pid, /own (\w+)/))[1]).toBe('true')
    await ask('http', port, '/one', trace())
    await drain(supervisor, pid)
    expect(collector.spans).toEqual([
      expect.objectContaining({ name: 'GET', parentSpanId: PARENT.spanId, resource: { 'service.name': 'shop' } }),
    ])
    expect(unused.asked).toEqual([])
  })

  it('adds nothing where the instrumentation of the app makes a span for each request', async () => {
    const collector = await startCollector()
    const wrapped = `
      const { Server } = require('node:http')
      const { emit } = Server.prototype
      Server.prototype.emit = Object.defineProperty(function (...args) { return emit.apply(this, args) }, '__wrapped', { value: true })`
    const { pid, port } = await serve(OWN(collector.url) + wrapped + SERVER, collector.url)
    expect(await supervisor.said(pid, 'tracing')).toMatchObject({ spans: 'left', problem: null })
    await ask('http', port, '/one')
    await drain(supervisor, pid)
    expect(collector.spans).toEqual([])
  })
})
