// `supervise logs`: what workers wrote, as they wrote it.

import { Option, type Command } from 'commander'
import { LOG_LEVELS, type LogLevel } from '../config/log-parsers.ts'
import { nearest } from '../config/suggest.ts'
import type { CrashRecord, LogRecord, ReleaseStatus } from '../control/messages.ts'
import { wrongUsage } from '../errors/cli.ts'
import { noCrash, unusablePattern } from '../errors/logs.ts'
import { unknownRelease } from '../errors/release.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { addFeedOptions, chooseFeed, parseCount, type FeedOptions } from './feed.ts'
import { tellReplaced } from './follow-on.ts'
import { chooseApp, chooseWorkers, parseTarget, readStatus, type Instance } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { logRecords, MAX_LINES, type LogWish } from './log-feed.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'
import { renderLog } from './records-view.ts'
import { parseSince } from './since.ts'

interface LogOptions extends FeedOptions {
  readonly worker?: number
  readonly err?: boolean
  readonly since?: string
  readonly grep?: string
  readonly level?: LogLevel
  readonly release?: string
  readonly group?: 'blue' | 'green'
  readonly previous?: boolean
  readonly reopen?: boolean
  /** -n was typed. */
  readonly isCounted: boolean
}

export function define(command: Command, invocation: Invocation): void {
  addFeedOptions(command.argument('[app]', 'only this app, or one of its workers as app/id'))
    .description(
      'Shows what the workers wrote to stdout and stderr: the last lines in memory, and before them those in log files. With --json one object a record.',
    )
    .option('--worker <id>', 'only this worker', parseCount)
    .option('--release <id>', 'only what this release wrote, such as r12')
    .option('--err', 'only stderr')
    .option('--since <time>', 'from then on: a duration such as 10m, or a time such as 2026-11-26T21:30')
    .option('--grep <pattern>', 'only records in which this regular expression is found')
    .addOption(
      new Option(
        '--level <level>',
        'this loud or louder; lines without a level are info on stdout, error on stderr',
      ).choices(LOG_LEVELS),
    )
    .addOption(new Option('--group <group>', 'only of this group').choices(['blue', 'green']))
    .option('--previous', 'of the worker that crashed last, up to its end')
    .option('--reopen', 'show nothing; open the log files anew, after something has moved them')
    .action(async (app: string | undefined, options: Omit<LogOptions, 'isCounted'>) => {
      const isCounted = command.getOptionValueSource('lines') === 'cli'
      const run = options.reopen === true ? reopenLogs : showLogs
      invocation.exitCode = await run(app, { ...options, isCounted }, invocation)
    })
  addExamples(command, [
    { command: 'supervise logs web -f', does: 'the last 50 lines, then every later one' },
    { command: 'supervise logs web --release r12', does: 'what this release wrote, though it was refused' },
    { command: 'supervise logs web/2 --err -n 200', does: 'stderr of worker 2' },
    { command: 'supervise logs web --since 10m --level warn', does: 'warnings and errors of the last ten minutes' },
    { command: 'supervise logs web --previous', does: 'what the worker that crashed wrote last' },
    { command: 'supervise logs --reopen', does: 'in the postrotate script of logrotate' },
  ])
}

async function showLogs(word: string | undefined, options: LogOptions, invocation: Invocation): Promise<ExitCode> {
  const { app, worker } = parseTarget(word)
  if (worker !== null && options.worker !== undefined)
    throw wrongUsage(`show logs of two workers: "${word}" and --worker ${options.worker}`, 'Leave one of them out.')
  if (options.previous === true && options.follow === true)
    throw wrongUsage('follow a worker that has crashed', 'Leave --previous or --follow out.')
  const pattern = options.grep === undefined ? null : compile(options.grep)
  const since = options.since === undefined ? null : parseSince(options.since, new Date())
  const wanted = worker ?? options.worker ?? null
  const instance = await chooseSource(app, wanted, options, invocation)
  const crash = options.previous === true ? await lastCrash(app, wanted, instance, invocation) : null
  const wish: LogWish = {
    query: {
      app,
      worker: wanted,
      stream: options.err === true ? 'stderr' : null,
      release: options.release ?? null,
      group: options.group ?? null,
      pid: crash?.pid ?? null,
      since,
      level: options.level ?? null,
    },
    pattern,
    last: since !== null && !options.isCounted ? MAX_LINES : options.lines,
    follow: options.follow === true,
  }
  // Whoever follows would wait for ever.
  if (options.release !== undefined && wish.follow) await mustBeRelease(options.release, app, instance)
  const tell = () => tellReplaced(invocation.output)
  const count = await print(logRecords(instance, wish, tell), invocation)
  // One that is forgotten may have left lines in a file.
  if (options.release !== undefined && count === 0) await mustBeRelease(options.release, app, instance)
  // Neither memory nor a file has them any more: the record of the crash still does.
  if (count === 0 && crash !== null) await print(stderrOf(crash), invocation)
  return EXIT.ok
}

/** Throws when no app that is meant had a release of that id. */
async function mustBeRelease(release: string, app: string | null, instance: Instance): Promise<void> {
  const apps = app === null ? (await readStatus(instance)).apps.map(({ name }) => name) : [app]
  const histories = await Promise.all(
    apps.map((name) => instance.client.get<{ readonly releases: readonly ReleaseStatus[] }>(appPath(name, 'history'))),
  )
  const known = [...new Set(histories.flatMap(({ releases }) => releases.map((one) => one.release)))]
  if (!known.includes(release)) throw unknownRelease(apps.join(', '), release, known, nearest(release, known))
}

async function print(records: AsyncIterable<LogRecord> | Iterable<LogRecord>, { output }: Invocation) {
  let count = 0
  for await (const record of records) {
    count += 1
    if (output.json) output.record(record)
    else output.line(renderLog(record, output.paint))
  }
  return count
}

async function chooseSource(
  app: string | null,
  worker: number | null,
  { follow, previous }: LogOptions,
  invocation: Invocation,
): Promise<Instance> {
  if (previous === true) return chooseApp(app, 'logs', invocation)
  // To follow a worker that is to come is no mistake.
  if (worker === null || follow === true) return chooseFeed(app, 'logs', invocation)
  const words = { target: app ?? undefined, worker: String(worker) }
  return (await chooseWorkers(words, 'logs', invocation)).target
}

async function lastCrash(app: string | null, worker: number | null, instance: Instance, invocation: Invocation) {
  const name = app ?? (await chooseApp(null, 'logs', invocation)).app.name
  const { crashes } = await instance.client.get<{ readonly crashes: readonly CrashRecord[] }>('/v1/crashes', {
    app: name,
  })
  const crash = crashes.findLast((one) => worker === null || one.worker === worker)
  if (crash === undefined) throw noCrash(name, worker)
  return crash
}

function stderrOf({ at, app, group, release, worker, pid, stderr }: CrashRecord): LogRecord[] {
  return stderr.map((line) => ({ time: at, app, group, release, worker, pid, stream: 'stderr', line }))
}

function compile(pattern: string): RegExp {
  try {
    // In a record of several lines, each has a beginning and an end.
    return new RegExp(pattern, 'm')
  } catch (error) {
    throw unusablePattern(pattern, error instanceof Error ? error.message.replace(/^.*: /, '') : String(error))
  }
}

async function reopenLogs(word: string | undefined, _options: LogOptions, invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const { client } = await chooseFeed(word ?? null, 'logs --reopen', invocation)
  const body = word === undefined ? {} : { app: word }
  const { reopened } = await client.send<{ readonly reopened: readonly string[] }>('POST', '/v1/logs/reopen', body)
  if (output.json) output.document({ reopened })
  else for (const path of reopened) output.line(`reopened ${path}`)
  return EXIT.ok
}
