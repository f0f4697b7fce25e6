// A worker whose descriptors run out leaves the queue to its siblings.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { get } from '../support/get.ts'
import { makeHome, TEST_NODE } from '../support/home.ts'
import { mustHaveLostNothing, startLoad } from '../support/load.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'

/** Node raises its soft limit to the hard one, so the hard one is what must be small. */
function nodeWithFewDescriptors(directory: string, limit: number): string {
  const node = join(directory, 'node')
  writeFileSync(node, `#!/bin/sh\nulimit -n ${limit}\nexec ${TEST_NODE} "$@"\n`)
  chmodSync(node, 0o755)
  return node
}

describe('a worker at its descriptor limit', () => {
  it('takes no connections only to close them; its sibling serves them (A14)', async () => {
    const home = makeHome()
    const node = nodeWithFewDescriptors(home.work, 400)
    const { supervise, target } = await startApp(fixture('eats-descriptors.js'), [], { home, node })
    const full = await get(target, '/eat')
    expect(Number(full.text)).toBeGreaterThan(100)

    const load = startLoad({ target, lanes: [{ kind: 'keepAlive', connections: 150, expect: { text: 'hello\n' } }] })
    await load.answers(3_000)
    const report = await load.stop()

    mustHaveLostNothing(report)
    const shares = new Map(report.lanes.map(({ lane, connections }) => [lane, connections]))
    expect(shares.get('keepAlive')).toBe(150)
    const sibling = report.pids.find(({ value }) => Number(value) !== full.pid)
    expect(sibling?.count).toBeGreaterThan(report.ok / 2)
    await supervise.stop()
  })
})
