// The app under test, the same in both groups but for NAME. KIND is the server; the path of a request says what its
// handler does.
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')

const { KIND = 'http', NAME = '?', CHECKS, MAX_PER_SOCKET, CERTIFICATES, UPGRADES = 'yes' } = process.env
const CONNECTION_FACTS = [
  'remoteAddress',
  'remoteFamily',
  'localAddress',
  'localPort',
  'encrypted',
  'alpnProtocol',
  'servername',
  'authorized',
]
const MEGABYTE = Buffer.alloc(1 << 20, 'x')
let sent = 0
let received = 0
const aborted = []

function handle(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  const act = () => (paths[pathname] ?? paths['/see'])(request, response, searchParams)
  const delay = Number(searchParams.get('ms'))
  if (delay) setTimeout(act, delay)
  else act()
}

const paths = {
  // All that an app can see of a request.
  '/see'(request, response) {
    const hash = createHash('sha1')
    let bytes = 0
    request.on('data', (data) => {
      bytes += data.length
      hash.update(data)
    })
    request.on('end', () => {
      const { socket, method, url, httpVersion, rawHeaders, headers, rawTrailers = [] } = request
      const facts = {}
      for (const name of CONNECTION_FACTS) facts[name] = socket[name]
      facts.remotePort = typeof socket.remotePort
      facts.address = socket.address().address
      if (socket.encrypted) {
        facts.subject = socket.getPeerCertificate().subject?.CN
        facts.fingerprint = socket.getPeerX509Certificate()?.fingerprint256
        facts.protocol = socket.getProtocol()
        facts.cipher = socket.getCipher()?.standardName
      }
      const seen = {
        name: NAME,
        method,
        url,
        httpVersion,
        rawHeaders,
        headers,
        rawTrailers,
        bytes,
        sha1: hash.digest('hex'),
        facts,
      }
      if (httpVersion.startsWith('2')) delete seen.rawHeaders
      else seen.distinct = Object.keys(request.headersDistinct)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(seen))
    })
  },
  '/echo'(request, response) {
    request.pipe(response)
  },
  '/name'(_request, response) {
    response.end(NAME)
  },
  '/release'(_request, response) {
    response.removeHeader('x-supervise-release')
    response.end(NAME)
  },
  '/plain'(_request, response) {
    response.writeHead(200, { 'content-length': '2' })
    response.end('ok')
  },
  '/duplicates'(_request, response) {
    response.writeHead(201, 'Made', [
      'Set-Cookie',
      'a=1',
      'X-B',
      '1',
      'Set-Cookie',
      'b=2',
      'x-b',
      '2',
      'Content-Length',
      '0',
    ])
    response.end()
  },
  '/no-message'(_request, response) {
    response.writeHead(299, '')
    response.end('odd')
  },
  '/trailers'(request, response) {
    // Node throws where there can be none.
    if (request.httpVersion === '1.1' && request.method !== 'HEAD') response.setHeader('Trailer', 'x-t')
    response.write('body')
    response.addTrailers({ 'x-t': '1' })
    response.end()
  },
  '/hints'(request, response) {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    response.writeProcessing?.()
    setTimeout(() => response.end('hinted'), 10)
  },
  '/status'(_request, response, searchParams) {
    response.writeHead(Number(searchParams.get('code'))).end(NAME)
  },
  '/204'(_request, response) {
    response.writeHead(204).end()
  },
  '/304'(_request, response) {
    response.writeHead(304, { etag: '"x"' }).end()
  },
  '/close'(_request, response) {
    response.writeHead(200, { connection: 'close' })
    response.end('bye')
  },
  '/bare'(_request, response) {
    for (const name of ['date', 'connection', 'content-length', 'transfer-encoding']) response.removeHeader(name)
    response.end('bare')
  },
  '/pieces'(_request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    let count = 0
    const timer = setInterval(() => {
      response.write(`data: ${++count}\n\n`)
      if (count < 3) return
      clearInterval(timer)
      response.end()
    }, 20)
  },
  // Never ends by itself; says when it was left.
  '/open'(_request, response) {
    response.on('close', () => aborted.push('open'))
    response.write('begun')
  },
  '/early'(_request, response) {
    response.writeHead(413)
    response.end('too much')
  },
  '/reset'(_request, response) {
    response.writeHead(200, { 'content-length': '100' })
    response.write('part')
    setTimeout(() => response.destroy(), 20)
  },
  '/die'(_request, response) {
    response.writeHead(200, { 'content-length': '100' })
    response.write('part')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)
  },
  '/die-silent'() {
    process.kill(process.pid, 'SIGKILL')
  },
  '/flood'(_request, response) {
    const send = () => {
      while (sent < 200 && !response.destroyed) {
        sent++
        if (!response.write(MEGABYTE)) return response.once('drain', send)
      }
      response.end()
    }
    send()
  },
  '/sink'(request) {
    received = 0
    request.once('data', (data) => {
      received += data.length
      request.pause()
    })
  },
  '/figures'(_request, response) {
    response.end(JSON.stringify({ name: NAME, sent, received, aborted, rss: process.memoryUsage().rss }))
  },
}

const keys = CERTIFICATES && {
  key: fs.readFileSync(`${CERTIFICATES}/localhost-key.pem`),
  cert: fs.readFileSync(`${CERTIFICATES}/localhost-cert.pem`),
  requestCert: true,
  rejectUnauthorized: false,
}
const create = {
  http: () => http.createServer(handle),
  https: () => https.createServer(keys, handle),
  h2c: () => http2.createServer({ settings: { enableConnectProtocol: true } }, handle),
  h2: () => http2.createSecureServer({ ...keys, allowHTTP1: true }, handle),
  streams: () =>
    http2.createServer().on('stream', (stream, headers) => {
      const { searchParams } = new URL(headers[':path'], 'http://localhost')
      stream.respond({ ':status': Number(searchParams.get('code') ?? 200) })
      stream.end(NAME)
    }),
}
const server = create[KIND]()
if (MAX_PER_SOCKET) server.maxRequestsPerSocket = Number(MAX_PER_SOCKET)
if (CHECKS) {
  server.on('checkContinue', (request, response) => {
    if (request.headers['x-no']) return response.writeHead(417).end()
    response.writeContinue()
    handle(request, response)
  })
  server.on('checkExpectation', (request, response) => {
    response.setHeader('x-expectation', request.headers.expect)
    handle(request, response)
  })
}
if (KIND !== 'streams' && UPGRADES === 'yes') {
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/refuse') return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    const { traceparent, tracestate, baggage } = request.headers
    const own = `X-Name: ${NAME}\r\nX-Count: ${request.rawHeaders.length}\r\nX-Trace: ${JSON.stringify({ traceparent, tracestate, baggage })}`
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n${own}\r\n\r\n`)
    socket.write(head)
    socket.pipe(socket)
  })
  server.on('connect', (request, socket, head) => {
    if (socket.session || !socket.write) return
    socket.write(`HTTP/1.1 200 Connected\r\nX-Name: ${NAME}\r\n\r\n`)
    socket.write(head)
    socket.pipe(socket)
  })
}
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
