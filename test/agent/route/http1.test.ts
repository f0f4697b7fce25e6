// HTTP/1 exchanges with a forwarding worker, compared byte by byte with those that the app answers directly.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { EXCHANGES, SMUGGLING } from './exchange-cases.ts'
import { Groups, NAMES, type Environment } from './groups.ts'
import { exchange, type Exchanged, type Part } from './raw-exchange.ts'

/** All but the time and the name of the group. */
function comparable({ text, hasEnded }: Exchanged): string {
  const same = text.replaceAll(/Date: [^\r]*/g, 'Date: D').replaceAll(NAMES.green, NAMES.blue)
  return same + (hasEnded ? '<ended>' : '<open>')
}

/** The client names its group, so that the connection stays; both names are of one length with their secrets. */
const CHOICES = { blue: 'blue ss', green: 'green s' } as const

function choose(parts: readonly Part[], choice: string): Part[] {
  const withHeader = (line: string) => `${line}x-supervise-group: ${choice}\r\n`
  return parts.map((part) => (typeof part === 'string' ? part.replaceAll(/ HTTP\/1\.[01]\r\n/g, withHeader) : part))
}

describe.each<[string, Environment, boolean]>([
  ['http', { KIND: 'http' }, false],
  ['http with its own answers to expectations', { KIND: 'http', CHECKS: '1' }, false],
  ['https', { KIND: 'https' }, true],
  ['http2 that allows HTTP/1', { KIND: 'h2' }, true],
])('over %s, forwarded as answered directly', (_, env, isSecure) => {
  let direct: Groups
  let forwarding: Groups
  beforeAll(async () => {
    direct = await Groups.start(env)
    forwarding = await Groups.start(env)
    await direct.route('blue', { groupSecret: 'ss' })
    await forwarding.route('blue', { groupSecret: 's' })
  })
  afterAll(() => Promise.all([direct.close(), forwarding.close()]))

  it.concurrent.each(Object.entries(EXCHANGES))('%s', async (name, parts) => {
    const [here, there] = await Promise.all([
      exchange(direct.port, choose(parts, CHOICES.blue), isSecure),
      exchange(forwarding.port, choose(parts, CHOICES.green), isSecure),
    ])
    const normal = (exchanged: Exchanged) =>
      comparable(exchanged)
        .replaceAll(CHOICES.green, CHOICES.blue)
        .replaceAll(String(direct.port), 'PORT')
        .replaceAll(String(forwarding.port), 'PORT')
    expect(normal(there)).toBe(normal(here))
    expect(here.text).not.toBe('<nothing>')
    if (here.text.includes(NAMES.blue)) expect(there.text, name).toContain(NAMES.green)
  })
})

describe('what could be read in two ways', () => {
  let groups: Groups
  beforeAll(async () => {
    groups = await Groups.start()
    await groups.route('green')
  })
  afterAll(() => groups.close())

  it.each(Object.entries(SMUGGLING))('%s is answered with 400 before it is routed', async (_, parts) => {
    const { text, hasEnded } = await exchange(groups.port, parts)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(text).not.toMatch(new RegExp(`${NAMES.blue}|${NAMES.green}`))
    expect(hasEnded).toBe(true)
  })
})
