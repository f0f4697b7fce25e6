import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.end(`api ${process.pid}\n`)
})

server.listen(process.env.PORT, '127.0.0.1')
