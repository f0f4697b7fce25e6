// `supervise events`: everything that was decided or that happened, with its cause.

import type { Command } from 'commander'
import type { EventRecord } from '../control/messages.ts'
import { addFeedOptions, chooseFeed, writeFeed, type FeedOptions } from './feed.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'
import { renderEvent } from './records-view.ts'

export function define(command: Command, invocation: Invocation): void {
  addFeedOptions(command.argument('[app]', 'only this app'))
    .description('Shows what happened and why, oldest first. With --json one object a line.')
    .action(async (app: string | undefined, options: FeedOptions) => {
      invocation.exitCode = await showEvents(app ?? null, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise events web -n 20', does: 'the last 20' },
    { command: 'supervise events -f --json', does: 'every later one too, for programs' },
  ])
}

async function showEvents(app: string | null, { lines, follow = false }: FeedOptions, invocation: Invocation) {
  const instance = await chooseFeed(app, 'events', invocation)
  const { paint } = invocation.output
  const request = {
    path: '/v1/events',
    query: { app, lines, follow },
    render: (event: EventRecord) => renderEvent(event, paint),
  }
  return writeFeed(instance, request, invocation)
}
