// The app under test. KIND is the server, the path of a request says what its handler does; SIGTERM closes the server
// as Express's and Fastify's documentation advise.
const fs = require('node:fs')
const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')
const net = require('node:net')

const {
  KIND = 'http',
  HEADERS_TIMEOUT = 60_000,
  KEEP_ALIVE = 2500,
  CERTIFICATES,
  BLOCK = 0,
  ON_SIGTERM = 'close',
} = process.env
const tls = CERTIFICATES && {
  key: fs.readFileSync(`${CERTIFICATES}/key.pem`),
  cert: fs.readFileSync(`${CERTIFICATES}/cert.pem`),
}
const timeouts = {
  headersTimeout: Number(HEADERS_TIMEOUT),
  requestTimeout: 300_000,
  connectionsCheckingInterval: 100,
  keepAliveTimeout: Number(KEEP_ALIVE),
}
const MEGABYTE = Buffer.alloc(1 << 20, 'x')
let runs = 0

function handle(request, response) {
  runs++
  const url = new URL(request.url, 'http://localhost')
  process.send({ run: request.url })
  const path = Object.hasOwn(paths, url.pathname) ? url.pathname : 'default'
  const act = () => paths[path](request, response, url.searchParams)
  const delay = Number(url.searchParams.get('ms'))
  if (delay) setTimeout(act, delay)
  else act()
}

const paths = {
  '/sync'(request, response) {
    if (request.httpVersionMajor === 1) response.setHeader('x-runs', String(runs))
    response.end('ok')
  },
  '/stream'(_request, response, query) {
    const megabytes = Number(query.get('mb') ?? 4)
    let sent = 0
    response.setHeader('content-length', String(megabytes << 20))
    const send = () => {
      while (sent < megabytes) {
        sent++
        if (!response.write(MEGABYTE) && sent < megabytes) return response.once('drain', send)
      }
      response.end()
    }
    send()
  },
  '/chunked'(_request, response) {
    let sent = 0
    const timer = setInterval(() => {
      response.write(`chunk${sent};`)
      if (++sent < 6) return
      clearInterval(timer)
      response.end('done')
    }, 60)
  },
  '/sse'(_request, response) {
    response.setHeader('content-type', 'text/event-stream')
    response.write('data: hi\n\n')
  },
  // As most frameworks do it, and going on after the end.
  '/sse-ticking'(_request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    setInterval(() => response.write('data: tick\n\n'), 5)
  },
  '/304'(_request, response) {
    response.statusCode = 304
    response.end()
  },
  '/keep'(_request, response) {
    response.writeHead(200, { 'content-length': 2, Connection: 'keep-alive', 'Keep-Alive': 'timeout=60' })
    response.end('ok')
  },
  '/removed'(_request, response) {
    response.removeHeader('connection')
    response.end('ok')
  },
  '/block'(_request, response, query) {
    block(Number(query.get('block')))
    response.end('ok')
  },
  '/early': (_request, response) => response.end('early'),
  '/hang'() {},
  default(request, response) {
    if (request.method !== 'POST') return response.end('ok')
    let length = 0
    request.on('data', (chunk) => (length += chunk.length))
    request.on('end', () => response.end(`len${length}`))
  },
}

function block(ms) {
  const end = Date.now() + ms
  while (Date.now() < end);
}

const kinds = {
  http: () => http.createServer(timeouts, handle),
  https: () => https.createServer({ ...tls, ...timeouts }, handle),
  // Node 22 takes the time-outs of this one as properties alone.
  h1: () => Object.assign(http2.createSecureServer({ ...tls, ...timeouts, allowHTTP1: true }, handle), timeouts),
  h2c: () => http2.createServer({ settings: { enableConnectProtocol: true } }, handle),
  h2: () => http2.createSecureServer(tls, handle),
  net: () =>
    net.createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => socket.write(data))
    }),
  ws() {
    const server = http.createServer(timeouts, handle)
    const { WebSocketServer } = require('ws')
    const sockets = new WebSocketServer({ server, perMessageDeflate: true })
    sockets.on('connection', (socket) => {
      socket.on('close', (code) => process.send({ sup: 'webSocketClosed', code }))
      setInterval(() => socket.send('x'.repeat(3000)), 3)
    })
    return server
  },
  none: () => ({
    listen: (_port, _host, done) => done(),
    address: () => ({ port: 0 }),
    on() {},
    close: (done) => done(),
  }),
}

const server = kinds[KIND]()
if (process.env.UPGRADE) {
  // Without an error listener on the socket: whatever happens to it must not kill the app.
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.on('data', (data) => socket.write(data))
    if (process.env.UPGRADE === 'ticking') setInterval(() => socket.write('tick'), 5)
  })
}
if (process.env.CHECK_CONTINUE) {
  server.on('checkContinue', (request, response) => {
    response.writeContinue()
    handle(request, response)
  })
}
if (KIND === 'h2c' && process.env.UPGRADE) {
  // Without it Node answers 405.
  server.on('connect', () => {})
  server.on('stream', (stream, headers) => {
    if (headers[':method'] !== 'CONNECT') return
    stream.respond({ ':status': 200 })
    stream.write('hello')
  })
}

const blockOnce = () => {
  const ms = globalThis.blocked ? 0 : Number(BLOCK)
  globalThis.blocked = true
  block(ms)
}
if (BLOCK) process.on('message', (message) => message.sup === 'drain' && blockOnce())

const onSigterm = {
  close: () => server.close(() => process.exit(0)),
  // As Fastify does it.
  closeIdle() {
    server.closeIdleConnections()
    server.close(() => process.exit(0))
  },
}
process.on('SIGTERM', () => {
  process.send({ sup: 'closing' })
  if (BLOCK) blockOnce()
  onSigterm[ON_SIGTERM]()
})

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
