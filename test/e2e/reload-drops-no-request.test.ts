// A reload under load costs no request, whoever asks for it and how often.

import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { countDescriptors, rss, threads, zombiesOf } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const isSoak = process.env['SUPERVISE_SOAK'] !== undefined

async function startLoaded(...args: string[]) {
  const port = await freePort()
  const supervise = await startSupervise(['start', fixture('ws.js'), '--port', String(port), ...args].slice(1))
  const load = startLoad({ target: { host: '127.0.0.1', port }, lanes: mixedLanes(), durationMs: 600_000 })
  await load.answers(500)
  return { supervise, load, port }
}

describe('supervise reload', () => {
  it('loses none of the mixed load, and answers from new processes only (R17, R20, D1–D5, D11)', async () => {
    const { supervise, load } = await startLoaded(
      '-i',
      '2',
      '--min-ready',
      '200ms',
      '--drain-timeout',
      '3s',
      '--drain-spread',
      '1s',
    )
    const before = await supervise.pids()
    const result = await supervise.cli('reload')
    expect(result).toMatchObject({ code: 0 })
    // What is left of the old ones has WebSockets, and nothing else.
    const serving = (await supervise.workers()).filter(({ state }) => state === 'serving').map(({ pid }) => pid ?? 0)
    expect(serving).toHaveLength(2)
    expect(serving.some((pid) => before.includes(pid))).toBe(false)
    await until(async () => (await supervise.pids()).length === 2, 10_000, 'the old workers are gone')
    await load.answers(500)
    const report = await load.stop()
    mustHaveLostNothing(report)
    await supervise.stop()
  })

  it(
    `loses nothing over ${isSoak ? 1000 : 8} reloads in a row, and leaves nothing behind (S11)`,
    async () => {
      const { supervise, load } = await startLoaded(
        '-i',
        '2',
        '--min-ready',
        '0',
        '--drain-timeout',
        '2s',
        '--drain-spread',
        '0',
      )
      const rounds = isSoak ? 1000 : 8
      await supervise.cli('reload')
      const figures = () => ({
        descriptors: countDescriptors(supervise.pid),
        threads: threads(supervise.pid),
        rss: rss(supervise.pid),
      })
      const settled = () =>
        until(async () => (await supervise.pids()).length === 2, 15_000, 'only the last generation is left')
      await settled()
      const first = figures()
      for (let round = 0; round < rounds; round += 1) expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
      await settled()
      const last = figures()
      mustHaveLostNothing(await load.stop())
      expect(last.descriptors).toBeLessThanOrEqual(first.descriptors + 4)
      expect(last.threads).toBeLessThanOrEqual(first.threads + 1)
      expect(last.rss).toBeLessThan(first.rss + 40 * 2 ** 20)
      expect(zombiesOf(supervise.pid)).toEqual([])
      await supervise.stop()
    },
    isSoak ? 3_600_000 : 90_000,
  )
})
