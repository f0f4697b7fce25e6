// Writes LINES_A_SECOND lines to stdout, evenly, by the clock: a supervisor that is slow gets no fewer of them.
const http = require('node:http')

const rate = Number(process.env.LINES_A_SECOND)
const began = performance.now()
let written = 0

setInterval(() => {
  const due = Math.floor(((performance.now() - began) / 1_000) * rate)
  for (; written < due; written++)
    console.log(`GET /api/things/${written} 200 12 ms from 203.0.113.7 in worker ${process.pid}`)
}, 10)

http
  .createServer((_request, response) => {
    response.setHeader('x-pid', String(process.pid))
    response.end('hello\n')
  })
  .listen(Number(process.env.PORT))
