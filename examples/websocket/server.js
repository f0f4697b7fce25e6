import { createServer } from 'node:http'
import { onDrain } from 'supervise/runtime'
import { WebSocketServer } from 'ws'

const GOING_AWAY = 1001

const server = createServer((request, response) => {
  response.end('Connect with a WebSocket.\n')
})

const sockets = new WebSocketServer({ server })
sockets.on('connection', (socket) => {
  socket.on('message', () => socket.send(`pong from process ${process.pid}`))
})

// A WebSocket lives as long as it likes, so a process that is being replaced asks its clients to connect again. Over half
// of the time that is left, lest they all come back in the same moment.
onDrain(({ deadlineMs, signal }) => {
  for (const socket of sockets.clients) {
    const timer = setTimeout(() => socket.close(GOING_AWAY, 'please reconnect'), (Math.random() * deadlineMs) / 2)
    signal.addEventListener('abort', () => clearTimeout(timer))
  }
})

server.listen(process.env.PORT ?? 3000)
