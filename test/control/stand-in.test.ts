import { describe, expect, it, vi } from 'vitest'
import { exitCodeOfLast } from '../../src/control/stand-in.ts'

async function* said(...words: readonly string[]) {
  yield* words
}

describe('exitCodeOfLast()', () => {
  it('is that of the supervisor in charge, to which signals go', async () => {
    const follow = vi.fn<(pid: number) => void>()
    expect(await exitCodeOfLast(said('pid 7', 'exit 6 7'), 7, follow)).toBe(6)
    expect(follow.mock.calls).toEqual([[7]])
  })

  it('is 137 when the last of several was killed, however well the one before it left', async () => {
    const follow = vi.fn<(pid: number) => void>()
    expect(await exitCodeOfLast(said('pid 7', 'pid 8', 'exit 0 7'), 7, follow)).toBe(137)
    expect(follow.mock.calls).toEqual([[7], [8]])
  })

  it('is not that of one that could not take over', async () => {
    expect(await exitCodeOfLast(said('pid 7', 'exit 1 8', 'exit 0 7'), 7, () => {})).toBe(0)
    expect(await exitCodeOfLast(said('pid 7', 'exit 1 8'), 7, () => {})).toBe(137)
  })
})
