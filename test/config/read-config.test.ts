// What is in force when flags, variables, files and defaults are put together, and what is said of a mistake.

import { availableParallelism } from 'node:os'
import { realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FlagValues } from '../../src/config/app-config.ts'
import { checkTarget, readConfig } from '../../src/config/read-config.ts'
import { project, refusal, source } from './project.ts'

describe('readConfig()', () => {
  it('fills in every default', async () => {
    const directory = project()
    expect(await readConfig(source(directory, { environment: { HOME: '/root' } }))).toEqual({
      name: 'app',
      script: join(directory, 'app.js'),
      isCommand: false,
      listen: [],
      args: [],
      cwd: directory,
      nodeArgs: [],
      node: null,
      env: { HOME: '/root' },
      workers: availableParallelism(),
      ready: { by: 'listen' },
      readyTimeoutMs: 30_000,
      minReadyMs: 1000,
      hangTimeoutMs: 30_000,
      liveness: null,
      drainTimeoutMs: 30_000,
      drainSpreadMs: 5000,
      stopSignal: 'SIGTERM',
      killTimeoutMs: 10_000,
      treeKill: true,
      restart: 'always',
      backoffMs: 100,
      maxBackoffMs: 15_000,
      minUptimeMs: 10_000,
      maxRestarts: 10,
      restartWindowMs: 60_000,
      failedRetryMs: 300_000,
      maxMemoryBytes: null,
      maxAgeMs: null,
      maxRequests: null,
      replaceAdoptedMs: 60_000,
      maxRequestsPerConnection: 0,
      maxSurge: { percent: 100 },
      slots: 12,
      loansPerSlot: 2,
      strategy: 'blue-green',
      autoPromote: true,
      bakeMs: 600_000,
      bakeMinRequests: 0,
      maxErrorRatio: null,
      abortDelayMs: 0,
      rollbackWindowMs: 600_000,
      progressDeadlineMs: 120_000,
      preview: null,
      groupHeader: null,
      releaseHeader: 'x-supervise-release',
      smoke: [],
      hooks: {},
      heapSnapshotNearLimit: 0,
      notify: [],
      slo: null,
      probes: [],
      tracing: null,
      mergeMetrics: false,
      log: { level: null, file: null, stdout: null, multiline: true, redact: [] },
      watch: null,
    })
  })

  it('reads every option of a file', async () => {
    const yaml = `
      $schema: ./schema.json
      name: shop
      script: web/server.js
      args: --verbose
      cwd: web
      nodeArgs: [--max-old-space-size=400]
      node: ${process.execPath}
      env: { NODE_ENV: production, RETRIES: 3 }
      envFile: .env
      port: 3000
      workers: 2
      ready: { http: /readyz }
      readyTimeout: 1m
      minReady: 0
      hangTimeout: 5s
      liveness: { http: /livez, every: 5s, within: 1s, failures: 2 }
      drainTimeout: 20s
      drainSpread: 2s
      stopSignal: SIGINT
      killTimeout: 3s
      treeKill: false
      restart: on-failure
      backoff: { first: 50ms, max: 5s }
      minUptime: 4s
      maxRestarts: 3
      window: 30s
      failedRetry: 1m
      maxMemory: 300M
      maxAge: 12h
      maxRequests: 100000
      replaceAdopted: 0
      maxRequestsPerConnection: 1000
      maxSurge: 1
      slots: 8
      loansPerSlot: 3
      strategy: blue-green
      autoPromote: false
      bake: 5m
      bakeMinRequests: 300
      maxErrorRatio: 2.5%
      abortDelay: 15m
      rollbackWindow: 0
      progressDeadline: 90s
      preview: 127.0.0.1:3001
      groupHeader: long-enough
      releaseHeader: false
      smoke: [npm run smoke, { http: /, attempts: 3 }]
      hooks: { rollback: ./tell.sh, pre-rollout: { url: 'https://ci.example.com/go', within: 5s } }
      heapSnapshotNearLimit: 2
      notify: { on: crash-loop, webhook: 'https://ci.example.com/alert', within: 5s }
      slo: { availability: 99.9, latency: { threshold: 500ms, target: 99 } }
      probes: [{ path: /pay, every: 5s, within: 1s, failures: 2, expect: { status: 204, body: paid } }]
      tracing: { otlp: 'http://localhost:4318', ratio: 5% }
      metrics: { merge: true }
      log: { level: debug, stdout: false, multiline: false, redact: cause }
      watch: { paths: [web, lib], ignore: [logs, ./tmp], quiet: 1s }`
    const directory = project({ 'supervise.config.yaml': yaml, 'web/server.js': '', '.env': 'A=1\nNODE_ENV=test' })
    expect(await readConfig(source(directory, { config: 'supervise.config.yaml' }))).toEqual({
      name: 'shop',
      script: join(directory, 'web/server.js'),
      isCommand: false,
      listen: [],
      args: ['--verbose'],
      cwd: join(directory, 'web'),
      nodeArgs: ['--max-old-space-size=400'],
      node: realpathSync(process.execPath),
      env: { A: '1', NODE_ENV: 'production', RETRIES: '3', PORT: '3000' },
      workers: 2,
      ready: { by: 'http', path: '/readyz' },
      readyTimeoutMs: 60_000,
      minReadyMs: 0,
      hangTimeoutMs: 5000,
      liveness: { path: '/livez', everyMs: 5000, withinMs: 1000, failures: 2 },
      drainTimeoutMs: 20_000,
      drainSpreadMs: 2000,
      stopSignal: 'SIGINT',
      killTimeoutMs: 3000,
      treeKill: false,
      restart: 'on-failure',
      backoffMs: 50,
      maxBackoffMs: 5000,
      minUptimeMs: 4000,
      maxRestarts: 3,
      restartWindowMs: 30_000,
      failedRetryMs: 60_000,
      maxMemoryBytes: 314_572_800,
      maxAgeMs: 43_200_000,
      maxRequests: 100_000,
      replaceAdoptedMs: 0,
      maxRequestsPerConnection: 1000,
      maxSurge: { workers: 1 },
      slots: 8,
      loansPerSlot: 3,
      strategy: 'blue-green',
      autoPromote: false,
      bakeMs: 300_000,
      bakeMinRequests: 300,
      maxErrorRatio: 0.025,
      abortDelayMs: 900_000,
      rollbackWindowMs: 0,
      progressDeadlineMs: 90_000,
      preview: { host: '127.0.0.1', port: 3001 },
      groupHeader: 'long-enough',
      releaseHeader: null,
      smoke: [
        { by: 'command', command: 'npm run smoke', withinMs: 60_000 },
        { by: 'http', path: '/', status: null, body: null, withinMs: 5000, attempts: 3 },
      ],
      heapSnapshotNearLimit: 2,
      notify: [{ on: ['crash-loop'], hook: { by: 'url', url: 'https://ci.example.com/alert', withinMs: 5000 } }],
      slo: { availability: 99.9, latency: { thresholdMs: 500, target: 99 } },
      probes: [
        {
          name: '/pay',
          what: { by: 'path', path: '/pay' },
          everyMs: 5000,
          withinMs: 1000,
          failures: 2,
          status: 204,
          body: 'paid',
        },
      ],
      tracing: { otlp: 'http://localhost:4318', ratio: 0.05 },
      mergeMetrics: true,
      hooks: {
        'pre-rollout': { by: 'url', url: 'https://ci.example.com/go', withinMs: 5000 },
        rollback: { by: 'command', command: './tell.sh', withinMs: 30_000 },
      },
      log: { level: 'debug', file: null, stdout: false, multiline: false, redact: ['cause'] },
      watch: {
        paths: [join(directory, 'web'), join(directory, 'lib')],
        ignore: ['node_modules', '.git', 'logs', join(directory, 'tmp')],
        quietMs: 1000,
      },
    })
  })

  it('takes flags over variables over the file, each key of an object by itself', async () => {
    const config = {
      script: 'app.js',
      workers: 1,
      drainTimeout: '1s',
      backoff: { first: '1s', max: '9s' },
      killTimeout: '1s',
    }
    const directory = project({ 'supervise.config.json': JSON.stringify(config) })
    const environment = {
      SUPERVISE_WORKERS: '2',
      SUPERVISE_DRAIN_TIMEOUT: '2s',
      SUPERVISE_BACKOFF_MAX: '8s',
      SUPERVISE_SLOTS: '',
    }
    const flags = { workers: '3', 'backoff.first': '3s' }
    const resolved = await readConfig(source(directory, { config: 'supervise.config.json', environment, flags }))
    expect(resolved).toMatchObject({
      workers: 3,
      drainTimeoutMs: 2000,
      backoffMs: 3000,
      maxBackoffMs: 8000,
      killTimeoutMs: 1000,
      slots: 12,
    })
  })

  it('R15 sees what the file, its environment files and its variables say now', async () => {
    const directory = project({
      'supervise.config.json': '{"script":"app.js","envFile":".env","env":{"A":"1","B":"1"}}',
      '.env': 'E=1',
    })
    const from = source(directory, { config: 'supervise.config.json', environment: { SUPERVISE_INSTANCE: 'x' } })
    expect((await readConfig(from)).env).toEqual({ E: '1', A: '1', B: '1' })
    writeFileSync(
      join(directory, 'supervise.config.json'),
      '{"script":"app.js","envFile":".env","env":{"B":"2","C":"3"}}',
    )
    writeFileSync(join(directory, '.env'), 'F=1')
    expect((await readConfig(from)).env).toEqual({ F: '1', B: '2', C: '3' })
  })

  it('merges the environment from what is inherited up to --port', async () => {
    const config = {
      script: 'app.js',
      envFile: ['a.env', 'b.env'],
      env: { FILE: 'config', GONE: null, X: 'config', PORT: '1' },
      port: 2,
    }
    const directory = project({
      'supervise.config.json': JSON.stringify(config),
      'a.env': 'FILE=a\nA=a\nX=a',
      'b.env': '# words\nA=b\nQUOTED="two words"\nGONE=b',
    })
    const environment = {
      INHERITED: '1',
      X: '0',
      GONE: '0',
      npm_lifecycle_event: 'start',
      SUPERVISE_WORKERS: '2',
      NOTIFY_SOCKET: '/run/n',
      LISTEN_FDS: '1',
      NODE_UNIQUE_ID: '3',
    }
    const read = async (flags: FlagValues) =>
      (await readConfig(source(directory, { config: 'supervise.config.json', environment, flags }))).env
    const expected = {
      INHERITED: '1',
      npm_lifecycle_event: 'start',
      A: 'b',
      QUOTED: 'two words',
      FILE: 'config',
      X: 'config',
      PORT: '2',
    }
    expect(await read({})).toEqual(expected)
    expect(await read({ env: ['X=flag', 'PORT=4', 'EMPTY='] })).toEqual({
      ...expected,
      X: 'flag',
      PORT: '4',
      EMPTY: '',
    })
    expect(await read({ env: ['PORT=4'], port: '5' })).toEqual({ ...expected, PORT: '5' })
  })

  it('resolves paths of a file against the file, and paths of flags and variables against the directory', async () => {
    const directory = project({
      'conf/x.json': '{"script":"../app.js","envFile":"a.env"}',
      'conf/a.env': 'A=1',
      'b.env': 'B=1',
    })
    const base = { config: 'conf/x.json' }
    expect(await readConfig(source(directory, base))).toMatchObject({
      script: join(directory, 'app.js'),
      isCommand: false,
      listen: [],
      cwd: join(directory, 'conf'),
      env: { A: '1' },
    })
    expect(await readConfig(source(directory, { ...base, flags: { envFile: 'b.env', cwd: '.' } }))).toMatchObject({
      cwd: directory,
      env: { B: '1' },
    })
    expect(await readConfig(source(directory, { ...base, environment: { SUPERVISE_CWD: '.' } }))).toMatchObject({
      cwd: directory,
    })
  })

  it('does not resolve symlinks of the script', async () => {
    const directory = project({ 'r1/app.js': '' })
    symlinkSync('r1', join(directory, 'current'))
    const { script } = await readConfig(source(directory, { flags: { script: 'current/app.js' } }))
    expect(script).toBe(join(directory, 'current/app.js'))
  })

  it.each([
    ['server.js', 'server'],
    ['shop/index.js', 'shop'],
    ['my app!.js', 'my-app-'],
  ])('names the app of %s %s', async (script, name) => {
    const directory = project({ [script]: '' })
    expect((await readConfig(source(directory, { flags: { script } }))).name).toBe(name)
  })

  it.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, string>>, FlagValues, boolean]>([
    ['true', { watch: true }, {}, {}, true],
    ['false over paths', { watch: ['src'] }, { SUPERVISE_WATCH: 'false' }, {}, false],
    ['an object', { watch: { quiet: '1s' } }, {}, {}, true],
    ['a flag for paths over false', { watch: false }, {}, { 'watch.paths': ['src'] }, true],
    ['the flag over a variable', {}, { SUPERVISE_WATCH: '0' }, { watch: true }, true],
  ])('watches as the strongest says: %s', async (_, config, environment, flags, watches) => {
    const directory = project({ 'supervise.config.json': JSON.stringify({ script: 'app.js', ...config }) })
    const { watch } = await readConfig(source(directory, { config: 'supervise.config.json', environment, flags }))
    expect(watch !== null).toBe(watches)
  })
})

describe('checkTarget()', () => {
  const request = { target: null, flags: {}, environment: {} }

  it('gives every app, resolved, and the instance', async () => {
    const directory = project({
      'supervise.config.json':
        '{"instance":"shop","apps":[{"script":"app.js","workers":1},{"name":"b","script":"app.js"}]}',
    })
    const { instance, apps } = await checkTarget({ ...request, directory })
    expect([instance, apps.map(({ name }) => name)]).toEqual(['shop', ['app', 'b']])
  })

  it('tells the mistakes of all apps and of what is around them', async () => {
    const directory = project({
      'supervise.config.json': `{
        "slots": 3,
        "appz": 1,
        "instance": "a/b",
        "apps": [
          { "script": "app.js", "workers": 0 },
          { "script": "app.js", "drainTimeout": 5 },
          3
        ]
      }`,
    })
    const error = await refusal(checkTarget({ ...request, directory, flags: { slots: '0' } }))
    expect(error.lines).toEqual([
      'supervise.config.json:2: slots: is an option of an app; write it inside of "apps"',
      'supervise.config.json:3: appz: is not allowed here; there are apps, instance, $schema. Did you mean "apps"?',
      'supervise.config.json:4: instance: "a/b" has a "/"; write letters, digits, ".", "_" and "-" only, since a name becomes part of file names and URLs',
      'supervise.config.json:6: apps[0].workers: 0 is not allowed; write a whole number from 1 to 1000, or "max". Did you mean "max"?',
      'supervise.config.json:7: apps[1].name: "app" is the name of apps[0], too; give each app a name of its own',
      'supervise.config.json:7: apps[1].drainTimeout: 5 has no unit; write "5s" or "5ms"',
      'supervise.config.json:8: apps[2]: 3 is not an app; write an object such as { "script": "app.js" }',
      '--slots: "0" is not allowed; write a whole number from 1 to 256',
    ])
    expect(error.exitCode).toBe(78)
  })
})
