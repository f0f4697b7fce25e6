// An app that says which release it is, by the version in the package.json beside it; else as hello.js. The clients know a
// release by this header of the app's own, and by nothing that what runs the app could say.
const http = require('node:http')
const { version } = require('./package.json')

const pid = String(process.pid)

const server = http.createServer((request, response) => {
  response.setHeader('x-pid', pid)
  response.setHeader('x-release', version)
  if (request.method === 'POST') return answerLength(request, response)
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
