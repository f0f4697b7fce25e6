// People, by number. The same in all four releases: what differs is how store.js keeps them.
//
//   POST /people     the name in the body: adds one, answers their number
//   GET /people/7    the name
//   GET /readable    503 when there is somebody whom this release cannot read

import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { add, countUnreadable, find } from './store.js'

createServer((request, response) => void reply(request, response)).listen(process.env.PORT ?? 3000)

async function reply(request, response) {
  try {
    const [status, words] = await answer(request)
    response.statusCode = status
    response.end(`${words}\n`)
  } catch (error) {
    console.error(error)
    response.statusCode = 500
    response.end(`${String(error)}\n`)
  }
}

async function answer(request) {
  const [, place, id] = new URL(request.url, 'http://localhost').pathname.split('/')
  if (place === 'readable') {
    const count = countUnreadable()
    return [count === 0 ? 200 : 503, `${count} cannot be read`]
  }
  if (place === 'people' && request.method === 'POST') return [200, add((await text(request)).trim())]
  const name = place === 'people' ? find(Number(id)) : null
  return name === null ? [404, 'nobody'] : [200, name]
}
