// `supervise crashes`: what ended workers, equal crashes together; `supervise crashes show c17`: all that is known of one.

import type { Command } from 'commander'
import type { CrashAnswer, CrashList } from '../control/messages.ts'
import { wrongUsage } from '../errors/cli.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { renderCrashGroups, renderWholeCrash } from './crash-view.ts'
import { chooseFeed } from './feed.ts'
import { chooseInstance, findApps } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .usage('[app] | show <id> [options]')
    .argument('[app]', 'only this app; or the word `show`')
    .argument('[id]', 'with `show`: the crash to tell all about')
    .description(
      'Lists the crashes that are on record, the latest last. Those with the same reason, message and stack are one line, in whichever release they were.',
    )
    .action(async (app: string | undefined, id: string | undefined) => {
      const isShow = app === 'show' || (id === undefined && isCrashId(app) && !(await isApp(app, invocation)))
      invocation.exitCode = await (isShow
        ? showCrash(app === 'show' ? id : app, invocation)
        : listCrashes(app ?? null, id, invocation))
    })
  addExamples(command, [
    { command: 'supervise crashes web', does: 'what ended its workers, and how often' },
    { command: 'supervise crashes show c17', does: 'stack, requests, memory and stderr before the end' },
    { command: 'supervise crashes web --json', does: 'the same with the latest records, for programs' },
  ])
}

/** `supervise crashes c17` can mean but one thing where no app is called so. */
function isCrashId(word: string | undefined): word is string {
  return word !== undefined && /^c\d+$/.test(word)
}

async function isApp(name: string, invocation: Invocation): Promise<boolean> {
  return (await findApps(invocation)).some(({ app }) => app.name === name)
}

async function listCrashes(app: string | null, id: string | undefined, invocation: Invocation): Promise<ExitCode> {
  if (id !== undefined)
    throw wrongUsage(`list crashes of "${app}" and "${id}"`, 'Name one app, or type `supervise crashes show <id>`.')
  const { output } = invocation
  const { client } = await chooseFeed(app, 'crashes', invocation)
  const { groups, crashes } = await client.get<CrashList>('/v1/crashes', { app })
  if (output.json) output.document({ groups, crashes })
  else if (groups.length === 0) output.talk('No crash is on record.')
  else output.table(renderCrashGroups(groups, output.width))
  return EXIT.ok
}

async function showCrash(id: string | undefined, invocation: Invocation): Promise<ExitCode> {
  if (id === undefined)
    throw wrongUsage('show a crash: its id is missing', 'See `supervise crashes` for the ids, such as c17.')
  const { output } = invocation
  const { client } = await chooseInstance(invocation)
  const { crash, group } = await client.get<CrashAnswer>(`/v1/crashes/${encodeURIComponent(id)}`)
  if (output.json) output.document({ crash, group })
  else output.lines(renderWholeCrash(crash, group, output.paint))
  return EXIT.ok
}
