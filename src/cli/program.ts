// The command line as commander knows it: all names at once, the typed command's details when it is typed.

import { Command, Option } from 'commander'
import { COMMANDS, type CommandEntry } from './commands.ts'
import { exitCodes } from './exit-codes.ts'
import type { Invocation } from './invocation.ts'

export interface Example {
  readonly command: string
  readonly does: string
}

/** `version` is null where `--version` is an option of the command that was typed. */
export function buildProgram(invocation: Invocation, version: string | null): Command {
  const program = new Command('supervise')
    .description('Keeps Node.js apps running and replaces them without losing a request.')
    .usage('<command> [options]')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: () => {}, getOutHasColors: () => false })
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .addOption(new Option('--instance <name>', 'which supervisor, when several run').env('SUPERVISE_INSTANCE'))
    .option('--json', 'write JSON for programs')
    .option('--no-color', 'write without colours')
    .addHelpText('after', () => `\nExit codes:\n${exitCodeLines()}`)
    .hook('preSubcommand', (_program, command) => defineCommand(command, invocation))
  if (version !== null) program.version(version, '-V, --version', 'show the version')
  for (const entry of COMMANDS) addCommand(program, entry)
  return program
}

/** Adds the details of one command; again is no harm. */
export async function defineCommand(command: Command, invocation: Invocation): Promise<void> {
  const entry = COMMANDS.find(({ name }) => name === command.name())
  if (!entry || command.registeredArguments.length > 0 || command.options.length > 0) return
  const { define } = await entry.load()
  define(command, invocation)
}

function addCommand(program: Command, { name, aliases, summary, hidden }: CommandEntry): void {
  const command = program
    .command(name, { hidden: hidden ?? false })
    .summary(summary)
    .description(`${summary}.`)
  // A command must have an action to be more than a group of others; `define` replaces it.
  command.action(() => {}).aliases(aliases)
}

/** The examples at the end of a command's help. */
export function addExamples(command: Command, examples: readonly Example[]): void {
  EXAMPLES.set(command.name(), examples)
  const width = Math.max(...examples.map((example) => example.command.length))
  const lines = examples.map(({ command: text, does }) => `  $ ${text.padEnd(width)}   ${does}`)
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** The examples of each command, for the reference. */
export const EXAMPLES = new Map<string, readonly Example[]>()

function exitCodeLines(): string {
  return exitCodes()
    .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning.replaceAll('`', '')}`)
    .join('\n')
}
