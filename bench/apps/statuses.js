// Has the metrics of an app that is in use: asked for /all it asks itself with every method and status that there often is.
const http = require('node:http')

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE']
const STATUSES = [200, 201, 204, 302, 304, 400, 401, 404, 500, 503]

http.createServer((request, response) => void answer(request, response)).listen(Number(process.env.PORT))

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (pathname === '/all') await askForAll()
  response.statusCode = Number(searchParams.get('status') ?? 200)
  response.setHeader('x-pid', String(process.pid))
  response.end('hello\n')
}

async function askForAll() {
  for (const method of METHODS) {
    for (const status of STATUSES) {
      const options = { port: process.env.PORT, method, path: `/?status=${status}` }
      await new Promise((resolve, reject) => {
        const request = http.request(options, (response) => response.resume().once('end', resolve))
        request.once('error', reject).end()
      })
    }
  }
}
