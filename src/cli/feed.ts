// What `logs` and `events` have in common, of which app and how many: the last lines of a feed, then with --follow every
// later one.

import { InvalidArgumentError, type Command } from 'commander'
import { chooseApp, chooseInstance, type Instance } from './instances.ts'
import type { Invocation } from './invocation.ts'

export interface FeedOptions {
  readonly follow?: boolean
  readonly lines: number
}

export function addFeedOptions(command: Command): Command {
  return command
    .option('-f, --follow', 'go on with what comes from now on')
    .option('-n, --lines <count>', 'so many of the last ones', parseCount, 50)
}

export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is not a number.')
  return Number(text)
}

/** One app, or without a name all apps of the one instance that there is. */
export async function chooseFeed(app: string | null, command: string, invocation: Invocation): Promise<Instance> {
  return app === null ? chooseInstance(invocation) : chooseApp(app, command, invocation)
}
