// Runs what the agent does to account for one answered request, again and again, and prints what it takes: nanoseconds of CPU
// time a request, one line a round. In a process of its own, so that nothing else has been compiled or is being collected.

import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { answersToTell, countAnswer } from '../../src/agent/answers.ts'
import { addConnection } from '../../src/agent/connections.ts'
import { noteBegin } from '../../src/agent/request-clock.ts'

/** So many responses are there at a time: what a worker under load has in its caches. */
const BATCH = 64
const BATCHES = 5_000
const ROUNDS = 30
/** Until all of it is compiled. */
const WARM_UP = 5

const STATUSES = [200, 200, 200, 200, 200, 200, 304, 404]
const socket = new Socket()
const connection = addConnection(socket, Object(socket))
const request = new IncomingMessage(socket)
request.method = 'GET'

function batch(): readonly ServerResponse[] {
  return Array.from({ length: BATCH }, () => new ServerResponse(request))
}

/** Microseconds of CPU time. */
function timed(act: () => void): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function account(responses: readonly ServerResponse[]): void {
  let at = 0
  for (const response of responses) {
    noteBegin(response, 'GET')
    countAnswer(connection, response, STATUSES[at++ % STATUSES.length] ?? 200)
  }
}

for (let round = -WARM_UP; round < ROUNDS; round++) {
  const made = timed(() => {
    for (let n = 0; n < BATCHES; n++) batch()
  })
  const accounted = timed(() => {
    for (let n = 0; n < BATCHES; n++) account(batch())
  })
  // As a heartbeat does.
  answersToTell(false)
  if (round >= 0) process.stdout.write(`${((accounted - made) * 1_000) / (BATCH * BATCHES)}\n`)
}
