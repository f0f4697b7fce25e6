// `supervise check`: reads a config as a start would, and says all that is wrong with it. Needs no supervisor.

import type { Command } from 'commander'
import type { AppConfig } from '../config/app-config.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import type { Invocation } from './invocation.ts'
import { countOf } from './progress.ts'
import { addExamples } from './program.ts'
import { addAppFlags, targetRequest } from './start-flags.ts'
import { alignRows } from './table.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[target]', 'script, config file or directory; the config file here when left out')
    .description('Checks a config file or flags without starting anything. Exits 78 when something is wrong.')
  addAppFlags(command)
  command.action(async (target: string | undefined) => {
    invocation.exitCode = await check(target ?? null, command, invocation)
  })
  addExamples(command, [
    { command: 'supervise check', does: 'the config file here' },
    { command: 'supervise check deploy/supervise.config.yaml', does: 'another one' },
  ])
}

async function check(target: string | null, command: Command, invocation: Invocation): Promise<ExitCode> {
  const { output } = invocation
  const [{ checkTarget }, { describeOptions }] = await Promise.all([
    import('../config/read-config.ts'),
    import('../config/diff.ts'),
  ])
  const { instance, apps } = await checkTarget(targetRequest(target, command, invocation))
  // Never the config itself: its environment may hold secrets.
  const shown = apps.map((app) => ({
    name: app.name,
    options: describeOptions(app),
    environmentNames: Object.keys(app.env),
  }))
  if (output.json) output.document({ ok: true, instance, apps: shown })
  else
    output.lines(
      alignRows(
        [{}, {}, {}],
        apps.map((app) => summarize(app, output.paint('green', '✓'))),
      ),
    )
  return EXIT.ok
}

function summarize({ name, script, workers }: AppConfig, mark: string): string[] {
  return [`${mark} ${name}`, countOf(workers, 'worker'), script]
}
