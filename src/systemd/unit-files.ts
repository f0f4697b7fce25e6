// The texts of a `.service` and a `.socket` unit for one instance. Pure: what is so on this host is the caller's to find.
// Directives and their versions: systemd.service(5), systemd.exec(5), systemd.socket(5).

import { NOTIFY_NAME } from './activation.ts'

export interface UnitSettings {
  /** The instance's name, and the units'. */
  readonly name: string
  /** Absolute path of the Node binary, links resolved: what a version manager's shim points at may change. */
  readonly node: string
  /** Absolute path of `bin/supervise.js`. */
  readonly launcher: string
  /** What stands after `supervise start`. */
  readonly startWords: readonly string[]
  readonly workingDirectory: string
  /** Null is whoever the manager runs it as: root, or the user of a user manager. */
  readonly user: string | null
  readonly scope: 'system' | 'user'
  /** Addresses such as `127.0.0.1:3000` or `/run/app.sock` that systemd opens; none is no `.socket` unit. */
  readonly listen: readonly string[]
  /** Sockets an address, so that workers share its connections evenly; a path has one. */
  readonly slots: number
  /** The longest that a stop may take, in milliseconds. */
  readonly stopMs: number
  /** As systemd writes it, such as `2G`; null is no limit. */
  readonly memoryMax: string | null
  /** As systemd writes it, such as `150%`; null is no limit. */
  readonly cpuQuota: string | null
  /** A port below 1024 is bound by the supervisor itself. */
  readonly bindsLowPort: boolean
  /** The version of systemd on this host; null when there is none to ask. */
  readonly systemdVersion: number | null
}

/** `OpenFile=` came with it. */
export const OPENS_FILES = 253
/** Beyond the longest drain: the supervisor's own way out. */
export const STOP_MARGIN_S = 15

export function serviceUnit(settings: UnitSettings): string {
  const { name, scope } = settings
  const sections = [
    section('Unit', [
      `Description=${name}, run by supervise`,
      ...(scope === 'system' ? ['Wants=network-online.target', 'After=network-online.target'] : []),
      ...(settings.listen.length > 0 ? [`Requires=${name}.socket`, `After=${name}.socket`] : []),
      '# One that dies at each boot must meet it also on a slow host, where it takes 2 s to die, be cleaned up after and come back.',
      'StartLimitIntervalSec=120',
      'StartLimitBurst=60',
    ]),
    section('Service', [
      ...processLines(settings),
      '',
      ...lifeLines(settings),
      '',
      ...placeLines(settings),
      '',
      ...limitLines(settings),
      '',
      ...hardeningLines(settings),
    ]),
    section('Install', [`WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`]),
  ]
  return `${HEADER}${sections.join('\n')}`
}

/** Null when systemd opens no socket for the instance. */
export function socketUnit({ name, listen, slots, user }: UnitSettings): string | null {
  if (listen.length === 0) return null
  const lines = listen.flatMap((address) => {
    const isPath = address.startsWith('/')
    return Array.from({ length: isPath ? 1 : slots }, () => `ListenStream=${escapeSpecifiers(address)}`)
  })
  const socket = [
    '# One line a slot: with ReusePort= each is a socket of its own, and the kernel spreads connections over them.',
    ...lines,
    'ReusePort=yes',
    `FileDescriptorName=${name}`,
    'Backlog=511',
    ...(user !== null && listen.some((address) => address.startsWith('/')) ? [`SocketUser=${user}`] : []),
  ]
  return `${HEADER}${[
    section('Unit', [`Description=Sockets of ${name}, which stay open while it restarts`]),
    section('Socket', socket),
    section('Install', ['WantedBy=sockets.target']),
  ].join('\n')}`
}

/** How a unit of ours begins; one that does not was written by hand. */
export const MADE_BY = '# Made by `supervise systemd`'

const HEADER = `${MADE_BY}; a new \`supervise systemd install\` writes it again.\n`

function section(name: string, lines: readonly string[]): string {
  return `[${name}]\n${lines.join('\n')}\n`
}

function processLines(settings: UnitSettings): readonly string[] {
  const { name, node, launcher, startWords, workingDirectory, user } = settings
  const command = (...words: readonly string[]) => commandLine(node, launcher, ...words)
  return [
    'Type=notify',
    '# systemd-notify tells it for the supervisor, and is another process.',
    'NotifyAccess=all',
    ...(opensSocket(settings) ? [`OpenFile=/run/systemd/notify:${NOTIFY_NAME}:graceful`] : []),
    ...(user === null ? [] : [`User=${user}`]),
    `WorkingDirectory=${escapeSpecifiers(workingDirectory)}`,
    `ExecStart=${command('start', '--instance', name, ...startWords)}`,
    '# Waits for the end, and fails when the reload did.',
    `ExecReload=${command('reload', '--instance', name, '--all')}`,
    '# A supervisor that was killed before or while it stopped leaves workers behind.',
    `ExecStopPost=${command('stop', '--orphans', '--if-ending', '--instance', name)}`,
  ]
}

/** The socket of a user's manager is elsewhere, and a place cannot be written so that it suits every user. */
function opensSocket({ scope, systemdVersion }: UnitSettings): boolean {
  return scope === 'system' && systemdVersion !== null && systemdVersion >= OPENS_FILES
}

function lifeLines({ stopMs }: UnitSettings): readonly string[] {
  return [
    '# Of the supervisor alone: workers serve on without it, and its successor takes them over.',
    'KillMode=process',
    'OOMPolicy=continue',
    'Restart=always',
    '# While systemd waits for it, a stop runs nothing of the unit: workers would be left.',
    'RestartSec=0',
    '# Nothing is left to run (0), or a command line or a config is wrong and stays so.',
    'RestartPreventExitStatus=0 2 78',
    '# The supervisor has an end for each start and each drain, and asks for the time that they take.',
    'TimeoutStartSec=90s',
    `TimeoutStopSec=${Math.ceil(stopMs / 1000) + STOP_MARGIN_S}s`,
    'WatchdogSec=30s',
    'WatchdogSignal=SIGKILL',
  ]
}

function placeLines({ name }: UnitSettings): readonly string[] {
  return [
    `RuntimeDirectory=supervise/${name}`,
    'RuntimeDirectoryMode=0700',
    '# Workers are found by what is in it.',
    'RuntimeDirectoryPreserve=yes',
    `StateDirectory=supervise/${name}`,
    'StateDirectoryMode=0700',
  ]
}

function limitLines({ memoryMax, cpuQuota }: UnitSettings): readonly string[] {
  return [
    'LimitNOFILE=65536',
    ...(memoryMax === null ? [] : [`MemoryMax=${memoryMax}`]),
    ...(cpuQuota === null ? [] : [`CPUQuota=${cpuQuota}`]),
  ]
}

function hardeningLines({ scope, bindsLowPort }: UnitSettings): readonly string[] {
  // A user's manager may not set up most of them.
  if (scope === 'user') return ['NoNewPrivileges=yes', 'LockPersonality=yes', 'RestrictRealtime=yes']
  return [
    'NoNewPrivileges=yes',
    ...(bindsLowPort
      ? ['CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'AmbientCapabilities=CAP_NET_BIND_SERVICE']
      : ['CapabilityBoundingSet=']),
    'PrivateDevices=yes',
    'ProtectSystem=full',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'LockPersonality=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'UMask=0027',
    '# MemoryDenyWriteExecute= would end Node: its compiler writes code. PrivateTmp= and RemoveIPC= would delete files and',
    '# shared memory of the workers that serve on each time that the supervisor alone has ended.',
  ]
}

/** The value of an `Exec…=` line. In the path of what is executed systemd puts no variables. */
export function commandLine(program: string, ...words: readonly string[]): string {
  return [quote(program), ...words.map(quoteForUnit)].join(' ')
}

/** One word of an `Exec…=` line after the first (systemd.service(5), "Command lines"). */
export function quoteForUnit(word: string): string {
  return quote(word.replaceAll('$', '$$$$'))
}

function quote(word: string): string {
  const escaped = escapeSpecifiers(word)
  if (/^[\w@+=:,./%$-]+$/.test(escaped)) return escaped
  const inQuotes = escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  // Either ends a line of a unit.
  return `"${inQuotes.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`
}

function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%')
}
