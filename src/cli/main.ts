// Entry point of the command: reads what was typed, runs it, and turns whatever happens into words and an exit code.

import { CommanderError } from 'commander'
import { packageVersion } from '../control/package-version.ts'
import { EXIT, type SuperviseError } from '../errors.ts'
import { wrongUsage } from '../errors/cli.ts'
import { quoteForShell } from './quote-for-shell.ts'
import { reportError, type Invocation } from './invocation.ts'
import { endQuietlyWithoutReader, Output } from './output.ts'
import { PM2_WORDS } from './pm2-words.ts'
import { buildProgram } from './program.ts'
import { tellOfOtherVersions } from './other-versions.ts'

const { words, afterDashes } = splitAtDashes(process.argv.slice(2))
const output = new Output({
  json: words.includes('--json'),
  noColor: words.includes('--no-color'),
  environment: process.env,
})
endQuietlyWithoutReader()
// Should nothing be left to wait for before it is done, that was no success.
process.exitCode = EXIT.failed
void run().then((exitCode) => {
  process.exitCode = exitCode
})

async function run(): Promise<number> {
  const invocation: Invocation = {
    output,
    environment: process.env,
    directory: currentDirectory(),
    afterDashes,
    typed: ['supervise', ...process.argv.slice(2)].map(quoteForShell).join(' '),
    instance: () => program.opts<{ instance?: string }>().instance ?? null,
    exitCode: EXIT.ok,
  }
  if (commandTyped() !== 'upgrade') tellOfOtherVersions(output)
  const program = buildProgram(invocation, commandTyped() === 'deploy' ? null : packageVersion())
  try {
    await program.parseAsync(asCommander(words), { from: 'user' })
    return invocation.exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, output)
    // Help and version come as errors too.
    if (error.exitCode === 0) return EXIT.ok
    return error.code === 'commander.help' ? EXIT.usage : reportError(asWrongUsage(error), output)
  }
}

/** A release's directory may be gone from under a shell; most commands need none. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return process.env['PWD'] ?? '/'
  }
}

/** What follows `--` is the app's, whatever it looks like. */
function splitAtDashes(typed: readonly string[]): { words: readonly string[]; afterDashes: readonly string[] | null } {
  const dashes = typed.indexOf('--')
  return dashes === -1
    ? { words: typed, afterDashes: null }
    : { words: typed.slice(0, dashes), afterDashes: typed.slice(dashes + 1) }
}

/** `supervise help reload` is `supervise reload --help`. */
function asCommander(typed: readonly string[]): string[] {
  return typed[0] === 'help' ? [...typed.slice(1), '--help'] : [...typed]
}

function commandTyped(): string | undefined {
  return words.find((word) => !word.startsWith('-'))
}

/** From `error: unknown command 'relaod'` and a suggestion on the next line. */
function asWrongUsage(error: CommanderError): SuperviseError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  let suggestion = rest
    .join(' ')
    .replace(/^\(|\)$/g, '')
    .trim()
  const command = commandTyped()
  const pm2 = first.startsWith('unknown command') ? PM2_WORDS[command ?? ''] : undefined
  if (pm2 !== undefined) return wrongUsage(`understand "${command}": that is a command of PM2`, pm2)
  const help = first.startsWith('unknown command') || !command ? 'supervise --help' : `supervise ${command} --help`
  // Most commands take an app, so one is typed to those that are about a whole supervisor, too.
  const isAboutAll = error.code === 'commander.excessArguments' && first.includes('Expected 0 arguments')
  if (isAboutAll) suggestion ||= 'It takes no app; `--instance NAME` chooses a supervisor.'
  const what = `understand the command line: ${first.replaceAll("'", '"').replace(/\.$/, '')}`
  return wrongUsage(what, suggestion === '' ? `See \`${help}\`.` : `${suggestion} See \`${help}\`.`)
}
