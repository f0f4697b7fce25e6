import { setTimeout as pause } from 'node:timers/promises'
import { onDrain, worker } from 'supervise/runtime'
import { consume } from './queue.js'

const consumer = consume(async (job) => {
  console.log(`worker ${worker}: job ${job} begins`)
  await pause(2000)
  console.log(`worker ${worker}: job ${job} is done`)
})

// Take no further job and finish the one at hand: this process is asked to end when that is done. It may also be called
// back, when the process that was to replace it failed; then it works on.
onDrain(async ({ signal }) => {
  signal.addEventListener('abort', () => consumer.resume())
  await consumer.pause()
})

// There is no port to listen on, so the supervisor cannot see by itself when we are ready.
process.send?.('ready')
