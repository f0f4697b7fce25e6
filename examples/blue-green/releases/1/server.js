// Release 1.

import { createServer } from 'node:http'

createServer((_request, response) => response.end('release 1\n')).listen(process.env.PORT ?? 3000)
