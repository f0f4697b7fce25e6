import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.url === '/readyz') response.end('ready\n')
  else void greet(response)
})

async function greet(response) {
  try {
    const answer = await fetch(process.env.API)
    response.end(`web ${process.pid} asked ${await answer.text()}`)
  } catch (error) {
    response.statusCode = 502
    response.end(`web ${process.pid} got no answer: ${error.message}\n`)
  }
}

server.listen(process.env.PORT)
