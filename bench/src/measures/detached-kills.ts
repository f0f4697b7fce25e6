// 22. SIGKILL of a supervisor in the background, again and again under load: what clients lost, and when it is back.

import { setTimeout as pause } from 'node:timers/promises'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { Figure } from '../figure.ts'
import { startInBackground } from '../in-background.ts'
import { killFigures, lifeAt, turnsUnderLoad, untilAnother } from '../turns-under-load.ts'

/** One that dies sooner is a storm to its keeper, which brings it back more slowly. */
const LIVES_MS = 2_200

export function detachedKills(count: number): Measure {
  return {
    id: 22,
    title: `${count} SIGKILLs of the supervisor, in the background`,
    async run(bench: Bench): Promise<readonly Figure[]> {
      const { app, end } = await startInBackground(bench, HELLO)
      let changed = 0
      try {
        const lived = await turnsUnderLoad(bench, app.port, count, async () => {
          const before = await lifeAt(app.controlSocket)
          const began = performance.now()
          process.kill(before.pid, 'SIGKILL')
          const after = await untilAnother(app.controlSocket, before)
          const tookMs = performance.now() - began
          if (after.workers !== before.workers) changed++
          await pause(LIVES_MS)
          return tookMs
        })
        return killFigures('in the background', lived, changed)
      } finally {
        await end()
      }
    },
  }
}
