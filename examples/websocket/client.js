// A client as it should be: when the server goes away, it connects again after a moment.
const url = process.argv[2] ?? 'ws://localhost:3000'

function connect() {
  const socket = new WebSocket(url)
  const timer = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('ping'), 1000)
  socket.addEventListener('message', ({ data }) => console.log(data))
  socket.addEventListener('close', ({ code, reason }) => {
    clearInterval(timer)
    console.log(`closed with ${code} ${reason}, connecting again`)
    setTimeout(connect, 200 + Math.random() * 800)
  })
}

connect()
