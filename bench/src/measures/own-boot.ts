// How long the app alone takes from the start of its process to its first answer: what no supervisor can be faster than.

import { HELLO, type Bench } from '../bench.ts'

export async function ownBoot(bench: Bench): Promise<number> {
  const app = await bench.start('node', { script: HELLO, workers: 1 })
  await bench.stop(app)
  return app.firstAnswerMs
}
