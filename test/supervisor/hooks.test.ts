import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Hook } from '../../src/config/app-config.ts'
import { runHook } from '../../src/supervisor/hooks.ts'
import { OUTPUT_BYTES } from '../../src/supervisor/run-command.ts'
import { freePort } from '../support/free-port.ts'
import { ENV, serve } from './command-scene.ts'

const payload = { app: 'web', release: 'r2' }

function call(hook: Hook, signal?: AbortSignal) {
  return runHook({ name: 'post-rollout', hook, payload, cwd: '/', env: ENV, ...(signal && { signal }) })
}

const command = (words: string): Hook => ({ by: 'command', command: words, withinMs: 5000 })
const url = (where: string, withinMs = 5000): Hook => ({ by: 'url', url: where, withinMs })

describe('a command', () => {
  it('gets what is to be known on its stdin, and says yes with exit code 0', async () => {
    expect(await call(command('echo $SUPERVISE_HOOK; cat'))).toEqual({
      yes: true,
      why: null,
      output: 'post-rollout\n{"app":"web","release":"r2"}\n',
    })
  })

  it('says no with any other, and why is told', async () => {
    expect(await call(command('echo not now; exit 1'))).toEqual({
      yes: false,
      why: 'the hook post-rollout (`echo not now; exit 1`) ended with exit code 1',
      output: 'not now\n',
    })
  })
})

describe('a URL', () => {
  it('gets it in the body of a POST, and says yes with 2xx', async () => {
    const seen: unknown[] = []
    const { url: where } = await serve((request, response) => {
      void text(request).then((body) => {
        seen.push([request.method, request.url, request.headers['content-type'], JSON.parse(body)])
        response.writeHead(202).end('noted')
      })
    })
    expect(await call(url(`${where}/hook?key=1`))).toEqual({ yes: true, why: null, output: 'noted' })
    expect(seen).toEqual([['POST', '/hook?key=1', 'application/json', payload]])
  })

  it.each([409, 302])('says no with %i, and its path and query stay secret', async (status) => {
    const { url: where } = await serve((_, response) => void response.writeHead(status).end('freeze until Monday'))
    expect(await call(url(`${where}/hook?token=secret`))).toEqual({
      yes: false,
      why: expect.stringMatching(
        new RegExp(`^the hook post-rollout \\(${where}/… \\(\\w{4}\\)\\) answered ${status}$`),
      ),
      output: 'freeze until Monday',
    })
  })

  it('that is down is told in words', async () => {
    const port = await freePort()
    const { yes, why } = await call(url(`http://user:password@127.0.0.1:${port}/`))
    expect(yes).toBe(false)
    expect(why).toMatch(
      /^the hook post-rollout \(http:\/\/127\.0\.0\.1:\d+\/… \(\w{4}\)\) is down: nothing listens there$/,
    )
    const { why: unknown } = await call(url('http://no-such-host.invalid/'))
    expect(unknown).toMatch(
      /^the hook post-rollout \(http:\/\/no-such-host\.invalid\/… .*\) cannot be reached: its host is not known$/,
    )
  })

  it('that is silent, slow or rude is told in words', async () => {
    const { url: silent } = await serve(() => undefined)
    expect((await call(url(silent, 100))).why).toMatch(/ did not answer within 100ms$/)
    const { url: slow } = await serve((_, response) => void response.writeHead(200).write('part'))
    expect(await call(url(slow, 200))).toMatchObject({
      why: expect.stringMatching(/ did not answer within 200ms$/),
      output: 'part',
    })
    const { url: rude } = await serve((request) => void request.socket.destroy())
    expect((await call(url(rude))).why).toMatch(/ closed the connection without an answer$/)
    expect((await call(url(silent), AbortSignal.timeout(50))).why).toMatch(/ was aborted$/)
  })

  it('may answer at any length', async () => {
    const { url: where } = await serve((_, response) => void response.end('a line\n'.repeat(1_000_000)))
    const { yes, output } = await call(url(where))
    expect(yes).toBe(true)
    expect(output.length).toBeLessThan(OUTPUT_BYTES + 100)
  })
})
