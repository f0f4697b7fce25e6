// `supervise preview`, run for real against a control socket and endpoints that answer.

import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PreviewStatus } from '../../src/control/release-messages.ts'
import { nothingToPreview } from '../../src/errors/release.ts'
import { scriptSupervisor } from '../control/scripted-supervisor.ts'
import { run, type CommandOptions } from './command.ts'
import { StandIns } from './stand-in.ts'
import { app } from './statuses.ts'

let standIns: StandIns
let servers: Server[]
beforeEach(() => {
  standIns = new StandIns()
  servers = []
})
afterEach(async () => {
  for (const server of servers) server.close()
  await standIns.end()
})

const supervise = (args: readonly string[], options: CommandOptions = {}) =>
  run(args, { ...options, environment: { ...standIns.environment, ...options.environment } })

/** A worker's private endpoint that says its name. */
async function endpoint(name: string): Promise<string> {
  const path = join(standIns.root, `${name}.sock`)
  const server = createServer((request, response) => response.end(`${name} ${request.url}\n`))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return path
}

async function standby(found: Partial<PreviewStatus> | Error): Promise<void> {
  const { releases } = scriptSupervisor().operations
  const preview = (name: string): PreviewStatus => {
    if (found instanceof Error) throw found
    return { app: name, release: 'r13', version: '1.4.0', group: 'green', url: null, endpoints: [], ...found }
  }
  await standIns.live('default', [app()], { releases: { ...releases, preview } })
}

const ASK = 'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => console.log(text.trim()))'

describe('supervise preview', () => {
  it('prints the address, and what to type', async () => {
    await standby({ url: 'http://127.0.0.1:3001', endpoints: ['/run/1.sock'] })
    expect((await supervise(['preview'])).stdout).toBe(
      'web: r13 (1.4.0) has no public traffic, and answers on\n  http://127.0.0.1:3001\nTry: curl http://127.0.0.1:3001/\n',
    )
    const { stdout } = await supervise(['preview', 'web', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, app: 'web', release: 'r13', endpoints: ['/run/1.sock'] })
  })

  it('prints the private endpoints where no address is configured', async () => {
    await standby({ endpoints: ['/run/1.sock', '/run/2.sock'] })
    expect((await supervise(['preview'])).stdout).toBe(
      'web: r13 (1.4.0) has no public traffic, and answers on\n  /run/1.sock\n  /run/2.sock\n' +
        'Try: curl --unix-socket /run/1.sock http://localhost/\n',
    )
  })

  it('says so when there is no such release, or it is not up', async () => {
    await standby(nothingToPreview('web', 'r12'))
    const none = await supervise(['preview'])
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('[NO_PREVIEW] Cannot preview "web": no release is up beside r12')
    await standIns.end()
    standIns = new StandIns()
    await standby({})
    expect((await supervise(['preview', '--', 'true'])).stderr).toContain('[PREVIEW_NOT_READY] Cannot preview r13')
  })
})

describe('supervise preview -- <command>', () => {
  it('opens a port of its own that leads to a worker, as long as the command runs', async () => {
    await standby({ endpoints: [await endpoint('one')] })
    const { code, stdout, stderr } = await supervise([
      'preview',
      'web',
      '--',
      process.execPath,
      '-e',
      ASK,
      '{url}/?{url}',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const url = /^one \/\?(http:\/\/127\.0\.0\.1:\d+)\n$/.exec(stdout)?.[1] ?? ''
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  it('says in the environment where and what it is', async () => {
    const path = await endpoint('one')
    await standby({ url: 'http://127.0.0.1:3001', endpoints: [path] })
    const names = ['PREVIEW_URL', 'ENDPOINT', 'RELEASE', 'GROUP', 'APP'].map((name) => `"$SUPERVISE_${name}"`).join(' ')
    const { stdout } = await supervise(['preview', '--', 'sh', '-c', `echo ${names}; echo {url}`])
    expect(stdout).toBe(`http://127.0.0.1:3001 ${path} r13 green web\nhttp://127.0.0.1:3001\n`)
  })

  it.each([
    ['sh', ['-c', 'exit 7'], 7],
    ['sh', ['-c', 'kill -TERM $$'], 143],
    ['/nowhere/tool', [], 127],
    ['/etc/passwd', [], 126],
  ])('exits as %s %j does: %i', async (program, args, expected) => {
    await standby({ endpoints: ['/run/1.sock'] })
    const { code, stderr } = await supervise(['preview', '--', program, ...args])
    expect(code).toBe(expected)
    if (expected === 127)
      expect(stderr).toContain('[COMMAND_NOT_RUN] Cannot run "/nowhere/tool": there is no such program')
  })

  it('leaves Ctrl-C to the command', async () => {
    await standby({ endpoints: ['/run/1.sock'] })
    const script = 'process.on("SIGTERM", () => process.exit(9)); setInterval(() => {}, 1000); console.log("runs")'
    const { code } = await supervise(['preview', '--', process.execPath, '-e', script], {
      onOutput: (text, child) => {
        if (!text.includes('runs')) return
        child.kill('SIGINT')
        child.kill('SIGTERM')
      },
    })
    expect(code).toBe(9)
  })
})
