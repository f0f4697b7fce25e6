import { expect, it } from 'vitest'
import { keepFollowing } from '../../src/cli/keep-following.ts'
import type { InstanceClient } from '../../src/control/client.ts'

/** Each feed ends as its turn says: after its items, or broken. */
async function follow(feeds: readonly (readonly (string | Error)[])[]) {
  const aborter = new AbortController()
  const [asked, taken]: [unknown[], string[]] = [[], []]
  const stream = async function* (_method: string, _path: string, options: { readonly query?: { lines?: number } }) {
    asked.push(options.query?.lines)
    const feed = feeds[asked.length - 1] ?? []
    if (asked.length >= feeds.length) aborter.abort()
    for (const item of feed) {
      if (item instanceof Error) throw item
      yield await Promise.resolve(item)
    }
  }
  // Of a client only this is asked.
  await keepFollowing<string>(
    { stream: stream as InstanceClient['stream'] },
    {
      path: '/v1/logs',
      signal: aborter.signal,
      lines: { first: 50, again: 0 },
      pauseMs: 1,
      take: (item) => taken.push(item),
    },
  )
  return { asked, taken }
}

it('keepFollowing() begins again after a feed that ended well and one that broke, without the lines that it had', async () => {
  const { asked, taken } = await follow([['a'], ['b', new Error('gone')], ['c']])
  expect(taken).toEqual(['a', 'b', 'c'])
  expect(asked).toEqual([50, 0, 0])
})

it('keepFollowing() still asks for the past where it has got nothing of it yet', async () => {
  const { asked } = await follow([[new Error('down')], ['a'], []])
  expect(asked).toEqual([50, 50, 0])
})
