// What was typed wrongly, and the help that says how it is typed.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { PM2_WORDS } from '../../src/cli/pm2-words.ts'
import { run } from './command.ts'
import { StandIns } from './stand-in.ts'

let standIns: StandIns
beforeEach(() => (standIns = new StandIns()))
afterEach(() => standIns.end())

const supervise = (...args: string[]) => run(args, { environment: standIns.environment })

describe('wrong usage', () => {
  it.each<[string[], string, string]>([
    [['relaod'], 'unknown command "relaod"', 'Did you mean reload?'],
    [['status', '--jsn'], 'unknown option "--jsn"', 'Did you mean --json?'],
    [['start', 'app.js', '--worker', '2'], 'unknown option "--worker"', 'Did you mean --workers?'],
    [['scale'], 'missing required argument "app"', '`supervise scale --help`'],
    [['logs', '-n', 'many'], '"many" is invalid', '`supervise logs --help`'],
    [['start', '--log-format', 'xml'], 'Allowed choices are auto, json, pretty', '`supervise start --help`'],
    [['upgrade', 'web'], 'too many arguments', 'It takes no app; `--instance NAME` chooses a supervisor.'],
    [['ping', 'web', 'jobs'], 'too many arguments', '`supervise ping --help`'],
  ])('%j exits 2 and says %s', async (args, what, fix) => {
    const { code, stdout, stderr } = await supervise(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Error \[WRONG_USAGE\] Cannot understand the command line: .*\nTry: .*\n$/)
    expect(stderr).toContain(what)
    expect(stderr).toContain(fix)
  })

  it('answers a command of PM2 with what to type here', async () => {
    const { code, stderr } = await supervise('kill')
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `Error [WRONG_USAGE] Cannot understand "kill": that is a command of PM2\nTry: ${PM2_WORDS['kill']}\n`,
    })
  })

  it('has no command of PM2 that is one here, and names none that is not', () => {
    const known = new Set(COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]))
    for (const [word, fix] of Object.entries(PM2_WORDS)) {
      expect(known).not.toContain(word)
      for (const [, command] of fix.matchAll(/`supervise (\w+)/g)) expect(known).toContain(command)
    }
  })

  it('is a document with --json', async () => {
    const { code, stdout, stderr } = await supervise('relaod', '--json')
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, error: { code: 'WRONG_USAGE', exitCode: 2 } })
  })

  it('shows the help on stderr when nothing was typed', async () => {
    const { code, stdout, stderr } = await supervise()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Usage: supervise <command>')
  })
})

describe('--help', () => {
  it.each(COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name))('of %s has examples', async (name) => {
    const { code, stdout, stderr } = await supervise(name, '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: supervise ${name}`)
    expect(stdout).toMatch(/Examples:\n {2}\$ supervise/)
    expect(stdout).toContain('--json')
  })

  it('is what `supervise help reload` shows', async () => {
    expect(await supervise('help', 'reload')).toEqual(await supervise('reload', '-h'))
  })

  it('lists every command but the hidden one, and the exit codes', async () => {
    const { stdout } = await supervise('--help')
    for (const { name, hidden } of COMMANDS) expect(stdout.includes(`\n  ${name} `)).toBe(!hidden)
    expect(stdout).toContain('  130  Ctrl-C')
  })
})

describe('--version', () => {
  it('is the version of the package', async () => {
    const { stdout } = await supervise('--version')
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })
})
