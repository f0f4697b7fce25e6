// The app of every measure. It says hello, blocks its loop for a second when asked to, and knows nothing of signals unless
// GRACEFUL is set: then it says when it is ready and closes its server when it is told to stop, as PM2's guide asks for.
const http = require('node:http')

const pid = String(process.pid)

const server = http.createServer((request, response) => {
  response.setHeader('x-pid', pid)
  if (request.method === 'POST') return answerLength(request, response)
  if (request.url === '/block') block(1_000)
  response.end('hello\n')
})

server.listen(Number(process.env.PORT), () => {
  if (process.env.GRACEFUL) process.send?.('ready')
})

if (process.env.GRACEFUL) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.close(() => process.exit(0)))
}

function answerLength(request, response) {
  let length = 0
  request.on('data', (chunk) => (length += chunk.length))
  request.on('end', () => response.end(String(length)))
}

function block(ms) {
  for (const end = Date.now() + ms; Date.now() < end;);
}
