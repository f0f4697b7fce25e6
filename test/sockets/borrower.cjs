// A process that accepts on the slots it is sent, and answers each connection with its pid. It says `attached` for each.

let held = []
process.on('message', (message, handle) => {
  if (message.type === 'attach') {
    handle.onconnection = (status, connection) => {
      if (status !== 0) return
      const line = Buffer.from(`${process.pid}\n`)
      answer(connection, line)
    }
    const errno = handle.listen(message.backlog ?? 511)
    held.push(handle)
    process.send({ type: 'attached', errno })
  }
  if (message.type === 'detach') {
    for (const slot of held) slot.close()
    held = []
    process.send({ type: 'detached' })
  }
})

const net = require('node:net')
function answer(connection, line) {
  // A client that is gone already is no matter of these tests.
  new net.Socket({ handle: connection }).on('error', () => {}).end(line)
}
