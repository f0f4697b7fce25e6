// What is said of each kind of mistake, word for word.

import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read-config.ts'
import { project, refusal, source } from './project.ts'

/** The mistakes in a config that is JSON, one option a line from the third line on. */
async function linesFor(app: Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>> = {}) {
  const text = JSON.stringify({ script: 'app.js', ...app }, null, 2)
  const directory = project({ 'supervise.config.json': text, ...files })
  const error = await refusal(readConfig(source(directory, { config: 'supervise.config.json' })))
  expect(error.exitCode).toBe(78)
  return error.lines.map((line) => line.replaceAll(directory, '<dir>'))
}

describe('readConfig() refuses', () => {
  it('an unknown option, with the one that was meant', async () => {
    expect(await linesFor({ drainTimout: '30s' })).toEqual([
      'supervise.config.json:3: drainTimout: is not an option. Did you mean "drainTimeout"?',
    ])
  })

  it('an unknown option near to none, with all that there are', async () => {
    const [line] = await linesFor({ colour: 'red' })
    expect(line).toMatch(
      /^supervise\.config\.json:3: colour: is not an option; there are name, script, command, listen, args, .*, watch$/,
    )
    expect(line).toContain(', liveness, ')
  })

  it('an option of PM2, with ours', async () => {
    expect(await linesFor({ instances: 3, exec_mode: 'cluster' })).toEqual([
      'supervise.config.json:3: instances: is not an option here; write "workers"',
      'supervise.config.json:4: exec_mode: is not an option here; leave it out, every app is a cluster here',
    ])
  })

  it('an unknown option inside of another', async () => {
    expect(await linesFor({ backoff: { frist: '1s' } })).toEqual([
      'supervise.config.json:4: backoff.frist: is not an option. Did you mean "first"?',
    ])
    expect(await linesFor({ watch: { delay: '1s' } })).toEqual([
      'supervise.config.json:4: watch.delay: is not an option; there are paths, ignore, quiet',
    ])
  })

  it('a value where an object is wanted', async () => {
    expect(await linesFor({ backoff: '1s' })).toEqual([
      'supervise.config.json:3: backoff: "1s" is not allowed; write an object with "first" or "max"',
    ])
  })

  it('the instance inside of an app', async () => {
    expect(await linesFor({ instance: 'shop' })).toEqual([
      'supervise.config.json:3: instance: is not an option of an app; write { "instance": …, "apps": [ … ] } around the apps',
    ])
  })

  it('a variable that is no text, without showing it', async () => {
    expect(await linesFor({ env: { A: ['secret'] } })).toEqual([
      'supervise.config.json:4: env.A: a list is not allowed; write a text, a number, true, false, or null to take the variable away',
    ])
  })

  it('a missing environment file, directory and script', async () => {
    expect(await linesFor({ envFile: '.env', cwd: 'web', script: 'server.js' })).toEqual([
      'supervise.config.json:2: script: "<dir>/server.js" does not exist',
      'supervise.config.json:3: envFile: "<dir>/.env" does not exist; create it, or leave it out',
      'supervise.config.json:4: cwd: "<dir>/web" is not a directory; create it, or correct the path',
    ])
  })

  it('an environment file that is a directory', async () => {
    expect(await linesFor({ envFile: 'web' }, { 'web/index.js': '' })).toEqual([
      'supervise.config.json:3: envFile: "<dir>/web" is a directory; name a file in it',
    ])
  })

  it('no script at all', async () => {
    expect(await linesFor({ script: undefined, workers: 1 })).toEqual([
      'supervise.config.json:1: script: is missing; write the app\'s main file, such as "app.js", or a program as `command`',
    ])
  })

  it.each([
    ['a wrong letter', 'ap.js', {}, '"<dir>/ap.js" does not exist. Did you mean "app.js"?'],
    ['no extension', 'app', {}, '"<dir>/app" does not exist. Did you mean "app.js"?'],
    [
      'a path below cwd',
      'server.js',
      { 'web/server.js': '' },
      '"<dir>/server.js" does not exist. Did you mean "web/server.js"?',
    ],
    [
      'a directory with an index',
      'web',
      { 'web/index.js': '' },
      '"<dir>/web" is a directory; write its main file, "web/index.js"',
    ],
    [
      'a directory with a package.json',
      'web',
      { 'web/package.json': '{"main":"lib/x.js"}', 'web/lib/x.js': '' },
      '"<dir>/web" is a directory; write its main file, "web/lib/x.js"',
    ],
    ['a directory with neither', 'web', { 'web/x.js': '' }, '"<dir>/web" is a directory; name a file in it'],
  ])('a script with %s', async (_, script, files, problem) => {
    const lines = await linesFor({ script, cwd: 'web' }, { 'web/keep': '', ...files })
    expect(lines).toEqual([`supervise.config.json:2: script: ${problem}`])
  })

  it('a script that cannot be read', async () => {
    const directory = project({ 'supervise.config.json': '{"script":"loop.js"}' })
    symlinkSync('loop.js', join(directory, 'loop.js'))
    const error = await refusal(readConfig(source(directory, { config: 'supervise.config.json' })))
    expect(error.lines).toEqual([`supervise.config.json:1: script: "${directory}/loop.js" cannot be read (ELOOP)`])
  })

  it.skipIf(process.getuid?.() === 0)('a script without permission', async () => {
    const directory = project()
    chmodSync(join(directory, 'app.js'), 0)
    const error = await refusal(readConfig(source(directory)))
    expect(error.lines).toEqual([
      `--script: "${directory}/app.js" cannot be read by this user (EACCES); change its permissions`,
    ])
  })

  it('a first wait that is longer than the longest', async () => {
    expect(await linesFor({ backoff: { first: '30s' } })).toEqual([
      'supervise.config.json:4: backoff.first: "30s" is longer than backoff.max, which is "15s"',
    ])
    expect(await linesFor({ backoff: { max: '10ms' } })).toEqual([
      'supervise.config.json:4: backoff.max: "10ms" is shorter than backoff.first, which is "100ms"',
    ])
  })

  it('a probe without a path', async () => {
    expect(await linesFor({ liveness: { every: '5s' } })).toEqual([
      'supervise.config.json:4: liveness.every: does nothing without liveness.http; write a path for it, such as "/livez"',
    ])
  })

  it('what needs a second group when there is none', async () => {
    expect(await linesFor({ strategy: 'rolling', preview: '127.0.0.1:3001' })).toEqual([
      'supervise.config.json:4: preview: does nothing with strategy "rolling", which has no second group; leave it out, or write "blue-green"',
    ])
    const fine = project({
      'supervise.config.json': '{"script":"app.js","strategy":"rolling","hooks":{"event":"./tell.sh"}}',
    })
    expect((await readConfig(source(fine, { config: 'supervise.config.json' }))).strategy).toBe('rolling')
  })

  it('mistakes inside of smoke tests and hooks, each at its place', async () => {
    const smoke = ['npm test', { http: 'readyz', atempts: 3 }]
    expect(await linesFor({ smoke, hooks: { rollback: { url: 'ftp://x', within: 5 }, rollbak: 'x' } })).toEqual([
      'supervise.config.json:6: smoke[1].http: "readyz" is not allowed; write a path that begins with "/", such as "/healthz". Did you mean "/readyz"?',
      'supervise.config.json:7: smoke[1].atempts: is not an option. Did you mean "attempts"?',
      'supervise.config.json:12: hooks.rollback.url: "ftp://x" is not allowed; write a URL such as "https://hooks.example.com/deploys"',
      'supervise.config.json:13: hooks.rollback.within: 5 has no unit; write "5s" or "5ms"',
      'supervise.config.json:15: hooks.rollbak: is not an option. Did you mean "rollback"?',
    ])
  })

  it('every mistake of file, variables and flags at once, the places in the message', async () => {
    const directory = project({
      'supervise.config.yaml': 'script: app.js\nworkers: 0\nbackoff:\n  max: 5\nwindow: soon\n',
    })
    const environment = { SUPERVISE_SLOTS: 'many' }
    const flags = { killTimeout: '5', readdy: 'listen' }
    const error = await refusal(readConfig(source(directory, { config: 'supervise.config.yaml', environment, flags })))
    expect(error.toJSON()).toEqual({
      code: 'INVALID_CONFIG',
      message: `Cannot use config "${directory}/supervise.config.yaml": mistake in workers, backoff.max, window, SUPERVISE_SLOTS and 2 more`,
      fix: 'Correct what the lines above name. `supervise check` reads everything again and starts nothing.',
      exitCode: 78,
      lines: [
        'supervise.config.yaml:2: workers: 0 is not allowed; write a whole number from 1 to 1000, or "max". Did you mean "max"?',
        'supervise.config.yaml:4: backoff.max: 5 has no unit; write "5s" or "5ms"',
        'supervise.config.yaml:5: window: "soon" is not allowed; write a duration such as "60s" (units d, h, m, s, ms)',
        'SUPERVISE_SLOTS: "many" is not allowed; write a whole number from 1 to 256',
        'readdy: is not a flag of an app. Did you mean "--ready"?',
        '--kill-timeout: "5" has no unit; write "5s" or "5ms"',
      ],
    })
  })

  it('a wrong flag with exit code 2, a wrong variable with 78', async () => {
    const directory = project()
    const byFlag = await refusal(readConfig(source(directory, { flags: { workers: '0' } })))
    expect(byFlag.toJSON()).toEqual({
      code: 'INVALID_FLAGS',
      message: 'Cannot use the flags: mistake in --workers',
      fix: 'Correct the command. `supervise start --help` lists every flag.',
      exitCode: 2,
      lines: ['--workers: "0" is not allowed; write a whole number from 1 to 1000, or "max". Did you mean "max"?'],
    })
    const byVariable = await refusal(readConfig(source(directory, { environment: { SUPERVISE_WORKERS: 'x' } })))
    expect(byVariable.toJSON()).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: 'Cannot use the options: mistake in SUPERVISE_WORKERS',
      exitCode: 78,
    })
  })

  it('an app that the file does not have any more', async () => {
    const directory = project({ 'supervise.config.json': '{"name":"api","script":"app.js"}' })
    const error = await refusal(readConfig(source(directory, { config: 'supervise.config.json', app: 'web' })))
    expect(error.toJSON()).toEqual({
      code: 'APP_NOT_IN_CONFIG',
      message: `Cannot find app "web" in config "${directory}/supervise.config.json": it has "api"`,
      fix: 'Give the app its old name again, or end it with `supervise delete web` and start the new one.',
      exitCode: 78,
      lines: [],
    })
  })
})
