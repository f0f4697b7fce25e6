// Commands that are no scripts of Node, as a configuration has them.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addressText, commandWords, firstWordOf, listenAddresses } from '../../src/config/command-parsers.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { OPTIONS } from '../../src/config/options.ts'
import { describeOptions, diffConfig } from '../../src/config/diff.ts'
import { project, source } from './project.ts'

function withServer(options: object): string {
  const directory = project({ 'supervise.config.json': JSON.stringify(options), 'bin/server': '#!/bin/sh\n' })
  chmodSync(join(directory, 'bin/server'), 0o755)
  return directory
}

const read = (directory: string, environment = {}) =>
  readConfig(
    source(directory, { config: 'supervise.config.json', environment: { PATH: '/usr/bin:/bin', ...environment } }),
  )

async function linesFor(options: object): Promise<readonly string[]> {
  const error: unknown = await read(withServer(options)).catch((reason: unknown) => reason)
  return (error as { lines?: readonly string[] }).lines ?? []
}

describe('listen', () => {
  it.each([
    [3000, '0.0.0.0:3000'],
    ['3000', '0.0.0.0:3000'],
    [':3000', '0.0.0.0:3000'],
    ['*:3000', '0.0.0.0:3000'],
    ['localhost:3000', '127.0.0.1:3000'],
    ['10.0.0.1:80', '10.0.0.1:80'],
    ['[::1]:80', '[::1]:80'],
    ['./web.sock', '/app/web.sock'],
    ['/run/web.sock', '/run/web.sock'],
  ])('takes %j as %s', (input, text) => {
    const parsed = listenAddresses.parse(input, '/app')
    expect(parsed.ok && parsed.value.map(addressText)).toEqual([text])
    expect(listenAddresses.parse(text, '/')).toEqual(parsed)
  })

  it('refuses what is no address, and one that is there twice', () => {
    for (const wrong of [
      'banana',
      '',
      0,
      65_536,
      '1.2.3.4:99999',
      'example.org:80',
      'http://x/',
      true,
      {},
      [],
      `/${'x'.repeat(200)}`,
      '/a\0b',
    ]) {
      const parsed = listenAddresses.parse(wrong, '/app')
      expect([wrong, parsed.ok && parsed.value.length > 0]).toEqual([wrong, false])
    }
    expect(listenAddresses.parse([3000, '0.0.0.0:3000'], '/')).toMatchObject({
      ok: false,
      refusals: [{ at: [1], problem: '"0.0.0.0:3000" is there twice; leave one out' }],
    })
  })
})

describe('command', () => {
  it('makes a path of what has a slash, and leaves a name to PATH', () => {
    expect(commandWords.parse(['./server', './flag'], '/app')).toEqual({ ok: true, value: ['/app/server', './flag'] })
    expect(commandWords.parse('python3 "my app.py"', '/app')).toEqual({ ok: true, value: ['python3', 'my app.py'] })
    for (const wrong of ['', [], [''], 3, 'x\0']) expect(commandWords.parse(wrong, '/app').ok).toBe(false)
    expect([firstWordOf(['./server', 'x']), firstWordOf('a b'), firstWordOf(undefined)]).toEqual([
      './server',
      'a',
      null,
    ])
  })

  it('has what suits a program where nothing is said', async () => {
    const directory = withServer({ command: ['bin/server', '--flag'], listen: 3000, minReady: '3s' })
    const config = await read(directory)
    expect(config).toMatchObject({
      name: 'server',
      script: join(directory, 'bin/server'),
      args: ['--flag'],
      isCommand: true,
      listen: [{ host: '0.0.0.0', port: 3000 }],
      workers: 1,
      ready: { by: 'time', afterMs: 3000 },
      strategy: 'rolling',
      maxSurge: { percent: 100 },
      hangTimeoutMs: 0,
    })
    const shown = describeOptions(config)
    expect(shown).toMatchObject({ command: `${config.script} --flag`, listen: '0.0.0.0:3000', workers: '1' })
    expect(Object.keys(shown).filter((key) => ['script', 'args', 'slots', 'bake'].includes(key))).toEqual([])
    const moved = diffConfig(config, { ...config, listen: [], args: [] })
    expect(moved.map(({ option, kind, applies }) => [option, kind, applies])).toEqual([
      ['command', 'changed', 'reload'],
      ['listen', 'removed', 'reload'],
    ])
  })

  it('is found in the PATH that the app has, past what may not be run', async () => {
    const directory = withServer({ command: 'tool', env: { PATH: 'set below' } })
    for (const [place, mode] of [
      ['closed', 0o644],
      ['open', 0o755],
    ] as const) {
      mkdirSync(join(directory, place))
      writeFileSync(join(directory, place, 'tool'), '#!/bin/sh\n')
      chmodSync(join(directory, place, 'tool'), mode)
    }
    const PATH = `:${directory}/none:${directory}/closed:${directory}/open`
    writeFileSync(join(directory, 'supervise.config.json'), JSON.stringify({ command: 'tool', env: { PATH } }))
    expect((await read(directory)).script).toBe(join(directory, 'open/tool'))
    const closed = { command: 'tool', env: { PATH: `${directory}/closed` } }
    writeFileSync(join(directory, 'supervise.config.json'), JSON.stringify(closed))
    await expect(read(directory)).rejects.toMatchObject({
      lines: [expect.stringContaining('may not be run by this user')],
    })
  })

  it.each([
    [{ command: 'bin/nope' }, /command: ".*\/bin\/nope" does not exist/],
    [
      { command: 'surely-not-installed' },
      /command: "surely-not-installed" is not in PATH; install it, or write its path/,
    ],
    [{ command: './bin' }, /is a directory; name the program in it/],
    [{ command: 'bin/server', script: 'app.js' }, /command: cannot stand beside script/],
    [{ command: 'bin/server', args: ['x'] }, /args: does nothing with a command/],
    [{ command: 'bin/server', ready: 'listen' }, /ready: "listen" cannot be seen of a command/],
    [{ command: 'bin/server', ready: 'message' }, /ready: "message" needs Node/],
    [{ command: 'bin/server', ready: { http: '/' } }, /no address to ask it at/],
    [{ command: 'bin/server', strategy: 'blue-green' }, /strategy: "blue-green" needs an agent/],
    [{ command: 'bin/server', listen: 3000, port: 3000 }, /port: does nothing with listen/],
    [{ command: 'bin/server', bake: '1m' }, /bake: does nothing with a command, which has no agent/],
    [{ script: 'app.js', listen: 3000 }, /listen: does nothing without a command/],
    [{}, /script: is missing; .* or a program as `command`/],
  ])('refuses %j', async (options, words) => {
    const lines = await linesFor(options)
    expect(lines.filter((line) => words.test(line))).toHaveLength(1)
  })

  it('has no variable of its own: it would make commands of all apps', () => {
    expect(OPTIONS.command.flagOnly).toBe(true)
  })
})
