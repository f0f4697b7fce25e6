// `supervise events`: everything that was decided or that happened, with its cause.

import type { Command } from 'commander'
import { EVENT_TYPES } from '../config/event-types.ts'
import { nearest } from '../config/suggest.ts'
import type { InstanceClient, Query } from '../control/client.ts'
import type { EventRecord } from '../control/messages.ts'
import { wrongUsage } from '../errors/cli.ts'
import { unknownEventType } from '../errors/logs.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { addFeedOptions, chooseFeed, type FeedOptions } from './feed.ts'
import { followOn, tellReplaced } from './follow-on.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { renderEvent } from './records-view.ts'
import { parseSince } from './since.ts'

interface EventOptions extends FeedOptions {
  readonly app?: string
  readonly type?: readonly string[]
  readonly since?: string
}

export function define(command: Command, invocation: Invocation): void {
  addFeedOptions(command.argument('[app]', 'only this app'))
    .description(
      `Shows what happened and why, oldest first. With --json one object a line. Types: ${EVENT_TYPES.join(', ')}.`,
    )
    .option('--since <time>', 'from then on: 10m, 2h or 7d ago, or 2026-01-31T08:00')
    .option('--type <type>', 'only events of this type, such as workerCrashed; several times', gather)
    .option('--app <name>', 'only this app')
    .action(async (app: string | undefined, options: EventOptions) => {
      // With a time, all since then are meant, unless a number is typed as well.
      const hasNumber = command.getOptionValueSource('lines') !== 'default'
      const lines = options.since !== undefined && !hasNumber ? null : options.lines
      invocation.exitCode = await showEvents(chooseName(app, options.app), { ...options, lines }, invocation)
    })
  addExamples(command, [
    { command: 'supervise events web -n 20', does: 'the last 20' },
    { command: 'supervise events --since 2h --type workerCrashed', does: 'what crashed in the last two hours' },
    { command: 'supervise events -f --json', does: 'every later one too, for programs' },
  ])
}

function gather(text: string, before: readonly string[] = []): readonly string[] {
  const types = text.split(',').filter(Boolean)
  const unknown = types.find((type) => !EVENT_TYPES.some((known) => known === type))
  if (unknown !== undefined) throw unknownEventType(unknown, EVENT_TYPES, nearest(unknown, EVENT_TYPES))
  return [...before, ...types]
}

function chooseName(argument: string | undefined, option: string | undefined): string | null {
  if (argument !== undefined && option !== undefined && argument !== option)
    throw wrongUsage(`show events of two apps: "${argument}" and --app ${option}`, 'Leave one of them out.')
  return argument ?? option ?? null
}

type Wanted = Omit<EventOptions, 'lines'> & { readonly lines: number | null }

async function showEvents(
  app: string | null,
  { lines, follow = false, type, since }: Wanted,
  invocation: Invocation,
): Promise<ExitCode> {
  const from = since === undefined ? null : parseSince(since, new Date())
  const { client } = await chooseFeed(app, 'events', invocation)
  const { output } = invocation
  const query = { app, type: type?.join(',') ?? null, since: from, lines, follow }
  for await (const event of eventsOf(client, query, () => tellReplaced(output))) {
    if (output.json) output.record(event)
    else output.line(renderEvent(event, output.paint))
  }
  return EXIT.ok
}

/** The next supervisor has the events of the one before, and numbers on from them. */
export function eventsOf(
  client: Pick<InstanceClient, 'stream'>,
  query: Query,
  tell: () => void,
): AsyncIterable<EventRecord> {
  let last: EventRecord | null = null
  return followOn(async function* () {
    const { seq, time } = last ?? { seq: 0, time: null }
    const rest = time === null ? query : { ...query, since: time, lines: null }
    for await (const event of client.stream<EventRecord>('GET', '/v1/events', { query: rest })) {
      // Where nothing can be kept, the next one begins to number anew.
      if (event.seq <= seq && (time === null || event.time <= time)) continue
      last = event
      yield event
    }
  }, tell)
}
