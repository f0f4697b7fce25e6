// A TCP port on the loopback that leads to private endpoints, one after the other, for programs that know no Unix sockets.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface LoopbackPort {
  readonly url: string
  close(): void
}

export async function openLoopbackPort(endpoints: readonly string[]): Promise<LoopbackPort> {
  const sockets = new Set<Socket>()
  let next = 0
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const path = endpoints[next++ % endpoints.length] ?? ''
    const worker = connect({ path, allowHalfOpen: true })
    join(client, worker, sockets)
    join(worker, client, sockets)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function join(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from)
  from.on('error', () => to.destroy())
  from.on('close', () => {
    sockets.delete(from)
    to.destroy()
  })
  from.pipe(to)
}
