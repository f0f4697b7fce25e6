import { createServer as createHttp2 } from 'node:http2'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SmokeCheck } from '../../src/config/app-config.ts'
import { runSmokeTest, type SmokeTarget } from '../../src/supervisor/smoke-test.ts'
import { ENV, makeDirectory, serve } from './command-scene.ts'

const target: SmokeTarget = {
  app: 'web',
  release: 'r2',
  group: 'green',
  previewUrl: 'http://127.0.0.1:3001',
  endpoints: [],
  cwd: '/',
  env: ENV,
}

function command(text: string): SmokeCheck {
  return { by: 'command', command: text, withinMs: 10_000 }
}

function http(path: string, more: Partial<Extract<SmokeCheck, { by: 'http' }>> = {}): SmokeCheck {
  return { by: 'http', path, status: null, body: null, withinMs: 2000, attempts: 1, ...more }
}

async function endpointThat(answer: (count: number) => { status: number; body?: string }): Promise<string> {
  const path = join(makeDirectory(), 'w.sock')
  let count = 0
  await serve((_, response) => {
    const { status, body = '' } = answer((count += 1))
    response.writeHead(status).end(body)
  }, path)
  return path
}

describe('a command', () => {
  it('is told where the release can be reached', async () => {
    const print = command(
      'echo $SUPERVISE_APP $SUPERVISE_RELEASE $SUPERVISE_GROUP $SUPERVISE_PREVIEW_URL $SUPERVISE_ENDPOINT',
    )
    const result = await runSmokeTest([print], { ...target, endpoints: ['/run/a.sock', '/run/b.sock'] })
    expect(result).toEqual({ passed: true, why: null, output: 'web r2 green http://127.0.0.1:3001 /run/a.sock\n' })
    const bare = await runSmokeTest([command('echo ${SUPERVISE_PREVIEW_URL-none}')], { ...target, previewUrl: null })
    expect(bare.output).toBe('none\n')
  })

  it('that fails is the last one that is run', async () => {
    const result = await runSmokeTest(
      [command('echo fine'), command('echo broken; exit 2'), command('echo never')],
      target,
    )
    expect(result).toEqual({
      passed: false,
      why: 'the smoke test `echo broken; exit 2` ended with exit code 2',
      output: 'broken\n',
    })
  })

  it('that is missing is told in words', async () => {
    const { why } = await runSmokeTest([command('no-such-command-here')], target)
    expect(why).toBe('the smoke test `no-such-command-here` was not found (exit code 127)')
  })
})

describe('a request', () => {
  it.each([
    [http('/'), 'answered 404'],
    [http('/', { status: 404 }), null],
    [http('/', { status: 204 }), 'answered 404, and 204 was expected'],
    [http('/', { status: 404, body: 'not here' }), null],
    [http('/', { status: 404, body: 'welcome' }), 'answered without "welcome"'],
    [http('/', { body: 'not here' }), 'answered 404'],
  ])('%j: %s', async (check, problem) => {
    const endpoint = await endpointThat(() => ({ status: 404, body: 'it is not here' }))
    const { passed, why } = await runSmokeTest([check], { ...target, endpoints: [endpoint] })
    expect([passed, why]).toEqual([problem === null, problem === null ? null : `the smoke test of / ${problem}`])
  })

  it('must be answered by each worker', async () => {
    const good = await endpointThat(() => ({ status: 200 }))
    const bad = await endpointThat(() => ({ status: 500 }))
    expect((await runSmokeTest([http('/x')], { ...target, endpoints: [good, good] })).passed).toBe(true)
    const { why } = await runSmokeTest([http('/x')], { ...target, endpoints: [good, bad] })
    expect(why).toBe('the smoke test of /x answered 500')
  })

  it('is made again, as often as it may', async () => {
    const slow = await endpointThat((count) => ({ status: count < 2 ? 503 : 200 }))
    expect((await runSmokeTest([http('/', { attempts: 2 })], { ...target, endpoints: [slow] })).passed).toBe(true)
    const never = await endpointThat(() => ({ status: 503 }))
    const { why } = await runSmokeTest([http('/', { attempts: 2 })], { ...target, endpoints: [never] })
    expect(why).toBe('the smoke test of / answered 503, 2 times')
  })

  it('that nobody answers is told in words', async () => {
    const silent = join(makeDirectory(), 'w.sock')
    await serve(() => undefined, silent)
    const at = (endpoint: string) => ({ ...target, endpoints: [endpoint] })
    const why = async (check: SmokeCheck, endpoint: string) => (await runSmokeTest([check], at(endpoint))).why
    expect(await why(http('/', { withinMs: 100 }), silent)).toBe('the smoke test of / did not answer within 100 ms')
    expect(await why(http('/', { withinMs: 100, body: 'x' }), silent)).toBe(
      'the smoke test of / was not answered within 100ms',
    )
    expect(await why(http('/'), '/no/such.sock')).toBe('the smoke test of / cannot be asked (ENOENT)')
    expect(await why(http('/', { body: 'x' }), '/no/such.sock')).toBe(
      'the smoke test of / cannot be asked in HTTP/1.1 (ENOENT)',
    )
    expect((await runSmokeTest([http('/')], target)).why).toBe(
      'the smoke test of / cannot be asked: the app listens nowhere',
    )
  })

  it('reads no more than the start of an endless answer', async () => {
    const path = join(makeDirectory(), 'w.sock')
    await serve((_, response) => {
      response.write('welcome')
      const more = (): unknown =>
        response.destroyed ? null : response.write('x'.repeat(65_536), () => setImmediate(more))
      more()
    }, path)
    const checks = [http('/', { body: 'welcome', withinMs: 10_000 })]
    expect((await runSmokeTest(checks, { ...target, endpoints: [path] })).passed).toBe(true)
  })

  it('reaches a server that speaks HTTP/2 alone', async () => {
    const path = join(makeDirectory(), 'w.sock')
    const server = createHttp2((_, response) => response.writeHead(200).end())
    await new Promise<void>((resolve) => server.listen(path, resolve))
    onTestFinished(() => void server.close())
    expect((await runSmokeTest([http('/')], { ...target, endpoints: [path] })).passed).toBe(true)
  })
})

describe('an abort', () => {
  it('ends a command, a request and the wait between two of them', async () => {
    const silent = join(makeDirectory(), 'w.sock')
    await serve(() => undefined, silent)
    const at = { ...target, endpoints: [silent] }
    const began = performance.now()
    const whys = await Promise.all([
      runSmokeTest([command('sleep 30')], at, AbortSignal.timeout(50)),
      runSmokeTest([http('/', { withinMs: 5000 })], at, AbortSignal.timeout(50)),
      runSmokeTest([http('/', { attempts: 30 })], { ...target, endpoints: ['/no/such.sock'] }, AbortSignal.timeout(50)),
      runSmokeTest([command('true')], at, AbortSignal.abort()),
    ])
    expect(performance.now() - began).toBeLessThan(3000)
    for (const { passed, why } of whys) expect([passed, why]).toEqual([false, expect.stringContaining('was aborted')])
  })
})
