// `supervise start`: in the foreground it becomes the supervisor; detached it hands the apps to one in the background; the
// name of a stopped app starts that again, and that of one whose supervisor is dead brings it back.

import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import type { ConfigSource } from '../config/app-config.ts'
import { becomeFirstProcess } from '../control/first-process.ts'
import { appAlreadyRuns, detachedFirstProcess, leftByUnit } from '../errors/cli.ts'
import { instanceAlreadyRuns } from '../errors/control.ts'
import { type ExitCode } from '../errors.ts'
import { actOnApp, addTimeout, type ActOptions } from './act.ts'
import { addAdminFlags, type AdminFlags } from './admin-flags.ts'
import { findApps, reachInstances, type AppTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { commandForLeft, findLeft, lookAtLeft, refuseLeft } from './left-instance.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'
import { addAppFlags, targetRequest } from './start-flags.ts'
import { addStopFlags, type StopFlags } from './stop-flags.ts'

export interface StartOptions extends ActOptions, AdminFlags, StopFlags {
  readonly detach?: boolean
  readonly fresh?: boolean
  readonly logFormat: 'auto' | 'json' | 'pretty'
}

export function define(command: Command, invocation: Invocation): void {
  command
    .argument(
      '[target]',
      'script, config file or directory, or an app that is stopped or has lost its supervisor; when left out the config here, else the main script here',
    )
    .usage('[target] [options] [-- args | -- program args]')
    .description(
      'Starts an app, or the apps of a config file, and keeps them running: in the foreground until Ctrl-C, or with ' +
        '--detach in the background. What follows -- goes to the app; without a target it is a program to run, unless it ' +
        'begins with a dash.',
    )
    .option('-d, --detach', 'leave it running in the background')
    .option('--fresh', 'start what is typed here, and forget which release was last good')
    .addOption(
      new Option('--log-format <format>', "how the supervisor writes its own and the app's lines")
        .choices(['auto', 'json', 'pretty'])
        .default('auto'),
    )
  addAdminFlags(command)
  addStopFlags(command)
  addTimeout(command)
  addAppFlags(command)
  command.action(async (target: string | undefined, options: StartOptions) => {
    invocation.exitCode = await start(target ?? null, command, options, invocation)
  })
  addExamples(command, [
    { command: 'supervise start app.js', does: 'one worker for each CPU, until Ctrl-C' },
    { command: 'supervise start app.js -d -i 4 -n web', does: 'in the background, four workers, named web' },
    { command: 'supervise start', does: 'what the config file here says' },
    { command: 'supervise start app.js -- --port 8080', does: 'arguments for the app' },
    {
      command: 'supervise start --listen 3000 -- ./server --verbose',
      does: 'a program that is not Node, and its socket',
    },
    { command: 'supervise start web', does: 'the app web again, after a stop, or when its supervisor is dead' },
  ])
}

async function start(
  target: string | null,
  command: Command,
  options: StartOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  // A container ends with its first process.
  if (process.pid === 1 && options.detach) throw detachedFirstProcess()
  becomeFirstProcess()
  const known = target === null ? null : await findKnownApp(target, invocation)
  if (known !== null) return startAgain(known, options, invocation)
  const left = target === null || isFileHere(target, invocation) ? null : await findLeft(target, invocation)
  if (target !== null && left !== null) return startLeft(target, left, options, invocation)

  const { findSources } = await import('../config/sources.ts')
  const found = await findSources(targetRequest(target, command, invocation))
  const named = invocation.instance() ?? found.instance
  const byDefault = () => (options.detach ? 'default' : nameInstance(found.sources, invocation.directory))
  const instance = named ?? (await byDefault())
  if (named === null) await refuseLeft(instance, await namesOf(found.sources), invocation)
  if (options.detach) {
    const { startDetached } = await import('./start-detached.ts')
    return startDetached(instance, found.sources, options, invocation)
  }
  await refuseSecond(instance, invocation)
  const { startForeground } = await import('./start-foreground.ts')
  return startForeground(instance, found.sources, options, invocation)
}

/** A file wins over an app of the same name. */
async function findKnownApp(target: string, invocation: Invocation): Promise<AppTarget | null> {
  if (isFileHere(target, invocation)) return null
  const { live } = await reachInstances({ ...invocation, instance: () => null })
  if (live.length === 0) return null
  const only = invocation.instance()
  const apps = await findApps(invocation)
  return apps.find(({ app, name }) => app.name === target && (only === null || name === only)) ?? null
}

function isFileHere(target: string, { directory }: Invocation): boolean {
  return existsSync(resolve(directory, target))
}

/** In the background, wherever it was before: who brings an app back does not want to hold it by their terminal. */
async function startLeft(
  app: string,
  { handle, apps }: NonNullable<Awaited<ReturnType<typeof findLeft>>>,
  options: StartOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const left = lookAtLeft(handle)
  if (left.unit !== null) throw leftByUnit(app, left.name, commandForLeft(left, invocation.directory))
  const { startDetached } = await import('./start-detached.ts')
  const sources = apps.map(({ source }) => source)
  return startDetached(left.name, sources, { ...options, fresh: false }, invocation)
}

function startAgain(target: AppTarget, options: StartOptions, invocation: Invocation): Promise<ExitCode> {
  const { app, name: instance } = target
  if (app.state !== 'stopped') throw appAlreadyRuns(app.name, instance, app.state)
  const operation = {
    method: 'POST' as const,
    path: appPath(app.name, 'start'),
    title: `start of "${app.name}"`,
    again: `supervise start ${app.name}`,
  }
  return actOnApp(target, operation, options, invocation)
}

/** After the only app, else after the directory. */
export async function nameInstance(sources: readonly ConfigSource[], directory: string): Promise<string> {
  const [name = basename(directory)] = sources.length === 1 ? await namesOf(sources) : []
  return usableName(name)
}

/** Of the apps, as far as they are known before their options are read. */
async function namesOf(sources: readonly ConfigSource[]): Promise<readonly string[]> {
  const [{ nameOfScript }, { firstWordOf }] = await Promise.all([
    import('../config/script.ts'),
    import('../config/command-parsers.ts'),
  ])
  return sources.flatMap(({ flags, environment, app, directory }) => {
    const program = flags['script'] ?? firstWordOf(flags['command'])
    const given = flags['name'] ?? environment['SUPERVISE_NAME'] ?? app
    const name = given ?? (typeof program === 'string' ? nameOfScript(resolve(directory, program)) : null)
    // A name that no app may have is refused where the app's flags are read, as what was typed.
    return typeof name === 'string' ? [name] : []
  })
}

function usableName(text: string): string {
  const cleaned = text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 64)
  return cleaned === '' ? 'default' : cleaned
}

/** The lock decides; this says it before anything is loaded, and knows how to go on. */
async function refuseSecond(instance: string, invocation: Invocation): Promise<void> {
  const { findInstances } = await import('../control/find-instances.ts')
  const running = (await findInstances(invocation.environment)).find(({ name, alive }) => name === instance && alive)
  if (running?.alive) throw instanceAlreadyRuns(instance, running.pong?.pid ?? null)
}
