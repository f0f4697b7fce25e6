// What is known after a crash, and for how long: records, events and alerts, through the end of the supervisor.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CrashAnswer, CrashList } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { eventsOf, untilEvent } from '../support/instance-facts.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const SECRET = 'hunter2-of-the-environment'

const SOURCE = `import http from 'node:http'

interface Order { id: number }

function loadOrder(order: Order | undefined): number {
  return order!.id
}

function eatMemory(): void {
  const meal: unknown[] = []
  for (;;) meal.push(new Array(1000).fill({ a: 1 }))
}

http
  .createServer((request, response) => {
    if (request.url?.startsWith('/crash')) setImmediate(loadOrder)
    else if (request.url === '/eat') eatMemory()
    else if (request.url === '/flags') response.end(JSON.stringify(process.execArgv))
    else if (!request.url?.startsWith('/slow')) response.end('ok')
    else response.write('so far')
  })
  .listen(process.env.PORT)
`

/** The app as a bundler leaves it. */
async function build(directory: string): Promise<string> {
  writeFileSync(join(directory, 'order.ts'), SOURCE)
  const made = await rolldown({ cwd: directory, input: 'order.ts', platform: 'node' })
  await made.write({ file: join(directory, 'app.mjs'), sourcemap: true, minify: true })
  await made.close()
  return join(directory, 'app.mjs')
}

/** A webhook that fails the first time. */
async function startWebhook() {
  const told: Record<string, unknown>[] = []
  let asked = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      asked += 1
      if (asked > 1) told.push(JSON.parse(body))
      response.writeHead(asked > 1 ? 204 : 500).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { told, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts` }
}

async function crashes(supervise: Supervise, count: number): Promise<CrashList> {
  return await until(
    async () => {
      const { body } = await supervise.api('GET', '/v1/crashes')
      const list = body as CrashList
      return list.crashes.length >= count && list
    },
    20_000,
    `${count} crashes`,
  )
}

describe('a worker that crashes', () => {
  it('is told of in a record, an event and an alert, all of which outlive the supervisor (C2)', async () => {
    const home = makeHome()
    const webhook = await startWebhook()
    const target = { host: '127.0.0.1', port: await freePort() }
    const args = [
      await build(home.work),
      ...`-n web -i 1 --port ${target.port} --node-args=--max-old-space-size=40 --heap-snapshot-near-limit 1`.split(
        ' ',
      ),
      ...`--env SECRET=${SECRET} --notify ${webhook.url}`.split(' '),
      ...QUICK,
    ]
    const first = await startSupervise(args, { home })
    // What the app itself forks would inherit them.
    expect(JSON.parse((await get(target, '/flags')).text)).toEqual(['--max-old-space-size=40'])

    const slow = get(target, '/slow/path?token=1').catch(() => 'cut')
    await until(async () => (await first.workers())[0]?.connections === 1, 10_000, 'the slow request is under way')
    await get(target, '/crash?token=2').catch(() => 'cut')
    await slow
    await crashes(first, 1)
    await first.online()
    await get(target, '/eat', 60_000).catch(() => 'cut')
    await crashes(first, 2)
    await until(() => webhook.told.length === 2, 20_000, 'both alerts')
    expect(webhook.told.map(({ alert, app }) => [alert, app])).toEqual([
      ['crash', 'web'],
      ['out-of-memory', 'web'],
    ])
    const { seq } = await untilEvent(first, 'alertSent')
    await first.online()

    // Its end tells nobody anything, and yet nothing is lost.
    first.signal('SIGKILL')
    await first.ended()
    const second = await startSupervise(args, { home })
    const { groups } = await crashes(second, 2)
    expect(groups.map(({ reason, count, releases }) => [reason, count, releases])).toEqual([
      ['exit', 1, [{ release: 'r1', count: 1 }]],
      ['out-of-memory', 1, [{ release: 'r1', count: 1 }]],
    ])
    const { crash } = (await second.api('GET', '/v1/crashes/c1')).body as CrashAnswer
    expect(crash.mappedStack).toContain(`${home.work}/order.ts:6:`)
    expect(crash.requests.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
      { method: 'GET', path: '/crash' },
      { method: 'GET', path: '/slow/path' },
    ])
    expect(crash.curve.length).toBeGreaterThan(0)

    const eaten = ((await second.api('GET', '/v1/crashes/c2')).body as CrashAnswer).crash
    expect(eaten.heapSnapshots).toHaveLength(1)
    const report = readFileSync(eaten.reportPath ?? '', 'utf8')
    expect(JSON.parse(report)).toMatchObject({ header: { trigger: 'OOMError' } })
    const state = join(home.directory, 'state', 'supervise', 'web')
    const texts = readdirSync(state, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('json'))
      .map((name) => readFileSync(join(state, name), 'utf8'))
    expect(texts.length).toBeGreaterThanOrEqual(5)
    expect(texts.join('')).not.toContain(SECRET)

    const events = await eventsOf(second)
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
    expect((await untilEvent(second, 'adopted')).seq).toBeGreaterThan(seq)
    const since = await second.cli('events', '--since', '1h', '--type', 'workerCrashed', '--json')
    expect(
      since.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: 'workerCrashed', data: { crash: 'c1' }, actor: { kind: 'worker' } },
      { type: 'workerCrashed', data: { crash: 'c2', reason: 'out-of-memory' } },
    ])

    expect((await second.cli('crashes', 'web')).stdout).toMatch(/ c1 .* TypeError: .*\n.* c2 .* ran out of memory/)
    const shown = await second.cli('crashes', 'show', 'c1')
    expect(shown.stdout).toContain('Requests under way\n')
    expect(shown.stdout).toContain(`order.ts:6:`)
    expect(await second.cli('crashes', 'show', 'c9')).toMatchObject({ code: 4 })
    await second.stop()
  })

  it('with a state directory that cannot be used: said once, and everything else goes on', async () => {
    const home = makeHome()
    writeFileSync(join(home.directory, 'state', 'supervise'), 'in the way')
    const args = [fixture('hello.js'), '-i', '1', '--port', `${await freePort()}`, ...QUICK]
    const supervise = await startSupervise(args, { home })
    const [pid = 0] = await supervise.pids()
    process.kill(pid, 'SIGKILL')
    const { crashes: kept } = await crashes(supervise, 1)
    expect(kept[0]).toMatchObject({ id: 'c1', reason: 'signal' })
    await supervise.online()
    const complaints = (await eventsOf(supervise, 'internalError')).map(({ text }) => text.split('\n')[0])
    expect(complaints.filter((text) => text?.includes('cannot keep crash records'))).toHaveLength(1)
    expect(complaints.filter((text) => /cannot write .*events\.ndjson/.test(text ?? ''))).toHaveLength(1)
    expect(complaints.length).toBeLessThan(5)
    await supervise.stop()
  })
})
