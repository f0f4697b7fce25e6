// `supervise systemd`: prints, installs or removes the units that run an instance under systemd.

import { realpathSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { Argument, Option, type Command } from 'commander'
import type { AppConfig } from '../config/app-config.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { wrongUsage } from '../errors/cli.ts'
import { instanceRunsByHand } from '../errors/systemd.ts'
import { propertyOf, systemdVersion } from '../systemd/systemctl.ts'
import { serviceUnit, socketUnit, type UnitSettings } from '../systemd/unit-files.ts'
import { addAdminFlags } from './admin-flags.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { addAppFlags, collect, targetRequest } from './start-flags.ts'
import { nameInstance } from './start.ts'
import { addStopFlags, readStopTiming, stopVariables, type StopFlags } from './stop-flags.ts'
import { startWords } from './start-words.ts'
import { checkUnitDirectory, cpuQuotaOf, memoryMaxOf, runAsOf, slotsOf, socketAddressOf } from './unit-flags.ts'
import { installUnits, uninstallUnits, type UnitFile } from './unit-install.ts'

export interface UnitOptions extends StopFlags {
  readonly user?: boolean
  readonly runAs?: string
  readonly socket?: readonly string[]
  readonly socketSlots?: string
  readonly memoryMax?: string
  readonly cpuQuota?: string
  readonly lowPorts?: boolean
  readonly force?: boolean
  /** Commander sets the default of a lone `--no-…` before a command's options are known. */
  readonly start?: false
}

type Action = 'print' | 'install' | 'uninstall'

export function define(command: Command, invocation: Invocation): void {
  command
    .addArgument(new Argument('<action>').choices(['print', 'install', 'uninstall']))
    .argument('[target]', 'as for `supervise start`; for uninstall the name of the instance')
    .usage('<print|install|uninstall> [target] [options] [-- args]')
    .description(
      'Writes a unit that runs what `supervise start` with the same words would. It is told when the app serves, reloads ' +
        'with `systemctl reload`, and its workers serve on when the supervisor dies. The environment of this shell is not ' +
        'taken along: give the app its variables in the config, with --env or --env-file.',
    )
    .option('--user', "a unit of this user's own manager")
    .option('--run-as <user>', 'whom the supervisor and its workers run as; root when left out, unless --user')
    .addOption(
      new Option(
        '--socket <address>',
        'an address that systemd opens and keeps open, such as 3000, 127.0.0.1:3000 or /run/web.sock',
      ).argParser(collect),
    )
    .option('--socket-slots <n>', 'sockets an address; as many as the app has slots when left out')
    .option('--memory-max <size>', 'limit for the supervisor and all workers together, such as 2G')
    .option('--cpu-quota <percent>', 'limit for the supervisor and all workers together, such as 150%')
    .option('--low-ports', 'let the app listen on ports below 1024')
    .option('--force', 'overwrite a unit that was written by hand, and hide one of a package')
    .option('--no-start', 'install it without starting it')
  addAdminFlags(command)
  addStopFlags(command)
  addAppFlags(command)
  command.action(async (action: Action, target: string | undefined, options: UnitOptions) => {
    invocation.exitCode = await systemd(action, target ?? null, { command, options, invocation })
  })
  addExamples(command, [
    { command: 'supervise systemd print app.js -n web -i 4', does: 'the unit, to look at' },
    { command: 'supervise systemd install app.js -n web -i 4 --run-as www-data', does: 'write, enable and start it' },
    {
      command: 'supervise systemd install --socket 3000',
      does: 'the config file here, with a port that stays open always',
    },
    { command: 'supervise systemd uninstall web', does: 'stop it and remove its units' },
  ])
}

interface Typed {
  readonly command: Command
  readonly options: UnitOptions
  readonly invocation: Invocation
}

async function systemd(action: Action, target: string | null, typed: Typed): Promise<ExitCode> {
  const { options, invocation } = typed
  const { output } = invocation
  if (action === 'uninstall') {
    const name = target ?? invocation.instance() ?? basename(invocation.directory)
    await checkName(name)
    const removed = uninstallUnits(name, options, invocation.environment)
    if (output.json) output.document({ removed })
    else for (const file of removed) output.talk(`Removed ${file}`)
    return EXIT.ok
  }
  const settings = await settingsOf(target, typed)
  const files = unitFiles(settings)
  tellWarnings(settings, invocation)
  if (action === 'print') return print(files, invocation)
  if (options.start !== false) await refuseRunning(settings, invocation)
  const written = installUnits(files, options, invocation.environment)
  if (output.json)
    output.document({ instance: settings.name, written: written.files, started: options.start !== false })
  else for (const line of written.words) output.talk(line)
  return EXIT.ok
}

function print(files: readonly UnitFile[], { output }: Invocation): ExitCode {
  if (output.json) output.document({ units: files })
  else output.line(files.map(({ name, text }) => `# ${name}\n${text}`).join('\n'))
  return EXIT.ok
}

async function settingsOf(target: string | null, { command, options, invocation }: Typed): Promise<UnitSettings> {
  const { checkTarget } = await import('../config/read-config.ts')
  const { findSources } = await import('../config/sources.ts')
  checkScope(options)
  checkUnitDirectory(invocation.directory)
  const request = targetRequest(target, command, invocation)
  const [{ instance, apps }, { sources }] = await Promise.all([checkTarget(request), findSources(request)])
  const name = invocation.instance() ?? instance ?? (await nameInstance(sources, invocation.directory))
  await checkName(name)
  return {
    name,
    node: realpathSync(process.execPath),
    launcher: launcherPath(),
    startWords: startWords(target, command, invocation),
    workingDirectory: invocation.directory,
    user: runAsOf(options.runAs),
    scope: options.user ? 'user' : 'system',
    listen: (options.socket ?? []).map(socketAddressOf),
    slots: slotsOf(options.socketSlots, apps),
    stopMs: longestStop(apps) + readStopTiming(stopVariables(options)).delayMs,
    memoryMax: memoryMaxOf(options.memoryMax),
    cpuQuota: cpuQuotaOf(options.cpuQuota),
    bindsLowPort: options.lowPorts === true,
    systemdVersion: systemdVersion(),
  }
}

/** A manager of a user can be nobody else, and gives no capabilities. */
function checkScope({ user, runAs, lowPorts }: UnitOptions): void {
  if (!user) return
  const word = runAs !== undefined ? '--run-as' : lowPorts === true ? '--low-ports' : null
  if (word === null) return
  throw wrongUsage(
    `write a unit with --user and ${word}: a user's own systemd cannot do that`,
    'Leave one of them out; without --user it is a unit of the host, which root installs.',
  )
}

/** What no instance may be called makes a unit that cannot start. */
async function checkName(name: string): Promise<void> {
  const { instanceDirectory } = await import('../control/instance-directory.ts')
  instanceDirectory(name)
}

function launcherPath(): string {
  const launcher = process.argv[1] ?? ''
  return join(realpathSync(dirname(launcher)), basename(realpathSync(launcher)))
}

function longestStop(apps: readonly AppConfig[]): number {
  return Math.max(...apps.map(({ drainTimeoutMs, killTimeoutMs }) => drainTimeoutMs + killTimeoutMs))
}

function unitFiles(settings: UnitSettings): readonly UnitFile[] {
  const socket = socketUnit(settings)
  return [
    { name: `${settings.name}.service`, text: serviceUnit(settings) },
    ...(socket === null ? [] : [{ name: `${settings.name}.socket`, text: socket }]),
  ]
}

function tellWarnings({ user, scope, node }: UnitSettings, { output }: Invocation): void {
  if (scope === 'system' && user === null) output.talk('It runs as root; give --run-as <user> for another.')
  const home = userInfo().homedir
  if (user !== null && user !== 'root' && home === '/root' && node.startsWith('/root/'))
    output.talk(`${user} may not read ${node}: install Node.js where everybody may, such as in /usr/local.`)
}

async function refuseRunning({ name, scope }: UnitSettings, { environment }: Invocation): Promise<void> {
  const { findInstances } = await import('../control/find-instances.ts')
  const running = (await findInstances(environment)).find((found) => found.name === name && found.alive)
  if (running?.alive !== true) return
  const pid = running.pong?.pid ?? null
  // The unit itself, installed again, is restarted by systemd.
  const ofUnit = Number(propertyOf(scope, 'MainPID', `${name}.service`) ?? 0)
  if (ofUnit === 0 || (pid !== null && pid !== ofUnit)) throw instanceRunsByHand(name, pid)
}
