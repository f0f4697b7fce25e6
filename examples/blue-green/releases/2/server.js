// Release 2.

import { createServer } from 'node:http'

createServer((_request, response) => response.end('release 2\n')).listen(process.env.PORT ?? 3000)
