// Release 3, which is broken. In which way is in broken.txt beside it:
//
//   throws-at-boot      it never gets ready
//   hangs-at-boot       neither, and does not say so
//   answers-500         it starts, and answers every request with 500
//   crashes             it works at first; each process crashes after its 50th answer

import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const file = new URL('broken.txt', import.meta.url)
const how = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'throws-at-boot'

const CRASHES_AFTER = 50
let answers = 0
let connections = 0

if (how === 'throws-at-boot') throw new Error('No such table: customers')

const server = createServer((_request, response) => {
  answers += 1
  response.statusCode = how === 'answers-500' ? 500 : 200
  // So that the connection is over with the answer, and there are moments without any.
  response.setHeader('connection', 'close')
  response.end('release 3\n')
})

server.on('connection', (socket) => {
  connections += 1
  socket.once('close', () => {
    connections -= 1
    // Between two requests, so that it is seen what a crash costs besides those under way: nothing.
    if (how === 'crashes' && answers > CRASHES_AFTER) setImmediate(crashWhenIdle)
  })
})

function crashWhenIdle() {
  if (connections === 0) throw new Error('Cannot read properties of undefined (reading "price")')
}

if (how !== 'hangs-at-boot') server.listen(process.env.PORT ?? 3000)
