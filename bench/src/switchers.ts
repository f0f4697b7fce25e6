// Ways to have two releases of an app beside each other and to send the traffic to the one or the other: each with one process
// of Node for each release, and the command that its users type.

import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { childrenOf } from '../../test/support/processes.ts'
import type { Bench } from './bench.ts'
import { makeBuild, scriptOf, type Version } from './builds.ts'
import { mustRun, runCommand } from './command.ts'
import type { ColumnName, ProxyName } from './contenders/contender.ts'
import { startForeground, type Foreground } from './contenders/foreground.ts'
import { startWarmPair } from './warm-pair.ts'

export interface Switcher {
  readonly name: ColumnName
  readonly port: number
  /** Has the traffic at first. */
  readonly first: Version
  readonly version: string
  /** All that run for it. */
  pids(): readonly number[]
  /** Resolves when the command has ended, with the milliseconds that the command itself says it took; null when it says none. */
  switchTo(version: Version): Promise<number | null>
}

export async function startSuperviseSwitcher(bench: Bench): Promise<Switcher> {
  const { app, active } = await startWarmPair(bench, 1)
  return {
    name: 'supervise',
    port: app.port,
    first: active,
    version: '',
    pids: () => [app.supervisorPid, ...app.workerPids()],
    switchTo: async () => {
      const { code, output } = await app.command('flip', 'app')
      if (code !== 0) throw new Error(`Cannot flip: exit code ${code}\n${output}`)
      return Number(/switched in ([\d.]+) ms/.exec(output)?.[1])
    },
  }
}

export async function startProxySwitcher(bench: Bench, kind: ProxyName): Promise<Switcher> {
  const room = bench.place.room()
  const env = bench.place.environment(room, { PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin` })
  const version = await proxyVersion(kind === 'nginx' ? 'nginx' : 'haproxy', env)
  const releases = { '1': await startRelease(bench, '1'), '2': await startRelease(bench, '2') }
  const ports = { '1': releases['1'].port, '2': releases['2'].port }
  const port = await freePort()
  const plan: ProxyPlan = { room, env, port, ports }
  const { command, switchTo } = kind === 'nginx' ? nginx(plan) : haproxy(plan, kind)
  const proxy = await startForeground(command, () => env, port)
  bench.keep({ name: kind, stop: proxy.stop })
  return {
    name: kind,
    port,
    first: '1',
    version,
    pids: () => [proxy.pid, ...childrenOf(proxy.pid), releases['1'].pid, releases['2'].pid],
    switchTo: async (release) => {
      await switchTo(release, proxy.pid)
      return null
    },
  }
}

async function startRelease(bench: Bench, version: Version): Promise<Foreground> {
  const room = bench.place.room()
  const script = scriptOf(makeBuild(room, version))
  const app = await startForeground([process.execPath, script], (port) =>
    bench.place.environment(room, { PORT: String(port) }),
  )
  bench.keep({ name: `release ${version}`, stop: app.stop })
  return app
}

async function proxyVersion(program: 'nginx' | 'haproxy', env: Readonly<Record<string, string>>): Promise<string> {
  const asked = await runCommand([program, '-v'], env).catch(() => null)
  const version = /version:? (?:nginx\/)?(\S+)/.exec(asked?.output ?? '')?.[1]
  if (version === undefined) throw new Error(`Cannot find ${program}: install it (\`apt-get install nginx haproxy\`)`)
  return `${program} ${version}`
}

interface ProxyPlan {
  readonly room: string
  readonly env: Readonly<Record<string, string>>
  readonly port: number
  readonly ports: Readonly<Record<Version, number>>
}

interface Proxy {
  readonly command: readonly [string, ...string[]]
  readonly switchTo: (version: Version, pid: number) => Promise<void>
}

// ---- nginx: the upstream is rewritten, and its configuration read again -------------------------------

function nginx({ room, env, port, ports }: ProxyPlan): Proxy {
  const file = join(room, 'nginx.conf')
  const base = ['-p', room, '-e', join(room, 'error.log'), '-c', file] as const
  const write = (version: Version) => writeFileSync(file, nginxConfig(port, ports[version]))
  write('1')
  return {
    command: ['nginx', ...base],
    switchTo: async (version) => {
      write(version)
      await mustRun(['nginx', ...base, '-s', 'reload'], env)
    },
  }
}

function nginxConfig(port: number, upstream: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${name};`)
  return [
    'daemon off;',
    'worker_processes auto;',
    'pid nginx.pid;',
    // Started by root, its workers would be another user's, who may not enter our directory.
    process.getuid?.() === 0 ? 'user root;' : '',
    'events { worker_connections 4096; }',
    'http {',
    '  access_log off;',
    ...temporary,
    `  upstream app { server 127.0.0.1:${upstream}; keepalive 64; }`,
    '  server {',
    `    listen 127.0.0.1:${port};`,
    '    location / {',
    '      proxy_pass http://app;',
    '      proxy_http_version 1.1;',
    '      proxy_set_header Connection "";',
    '    }',
    '  }',
    '}',
    '',
  ].join('\n')
}

// ---- HAProxy: told over its socket, or its configuration read again ------------------------------------

function haproxy({ room, env, port, ports }: ProxyPlan, kind: Exclude<ProxyName, 'nginx'>): Proxy {
  const file = join(room, 'haproxy.cfg')
  const socket = join(room, 'admin.sock')
  const write = (version: Version) =>
    writeFileSync(file, haproxyConfig({ port, ports, active: version, socket, isTuned: kind === 'haproxyTuned' }))
  write('1')
  const bySocket = async (to: Version) => {
    const from = to === '1' ? '2' : '1'
    await tell(socket, `set server app/r${to} state ready; set server app/r${from} state maint`)
  }
  /** As Debian's unit does it. */
  const byReload = async (to: Version, pid: number) => {
    write(to)
    await mustRun(['haproxy', '-c', '-q', '-f', file], env)
    process.kill(pid, 'SIGUSR2')
  }
  return {
    command: ['haproxy', '-W', '-f', file],
    switchTo: kind === 'haproxySocket' ? bySocket : byReload,
  }
}

interface HaproxySettings extends Pick<ProxyPlan, 'port' | 'ports'> {
  readonly active: Version
  readonly socket: string
  readonly isTuned: boolean
}

function haproxyConfig({ port, ports, active, socket, isTuned }: HaproxySettings): string {
  const server = (version: Version) =>
    `  server r${version} 127.0.0.1:${ports[version]}${version === active ? '' : ' disabled'}`
  return [
    'global',
    `  stats socket ${socket} mode 600 level admin expose-fd listeners`,
    'defaults',
    '  mode http',
    // A reload then leaves idle clients their connections, which it cuts otherwise while a request may be on its way.
    isTuned ? '  option idle-close-on-response' : '',
    '  timeout connect 5s',
    '  timeout client 30s',
    '  timeout server 30s',
    'frontend public',
    `  bind 127.0.0.1:${port}`,
    '  default_backend app',
    'backend app',
    server('1'),
    server('2'),
    '',
  ].join('\n')
}

/** Nothing is what it says when all went well. */
function tell(socketPath: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath, () => socket.write(`${command}\n`))
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('error', reject)
    socket.on('end', () => {
      if (answer.trim() === '') resolve()
      else reject(new Error(`Cannot have HAProxy do "${command}": ${answer.trim()}`))
    })
  })
}
