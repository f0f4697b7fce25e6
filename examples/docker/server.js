// An app that knows nothing of its container.

import { createServer } from 'node:http'

const port = Number(process.env.PORT ?? 3000)

createServer((_request, response) => {
  response.end(`hello from process ${process.pid}\n`)
}).listen(port)
