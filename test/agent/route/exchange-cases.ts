// What clients send, each to be answered by a forwarding worker as by the app's own: the same bytes.

import type { Part } from './raw-exchange.ts'

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`
const post = (path: string, headers: string, body = '') => `POST ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`
const many = (count: number) => Array.from({ length: count }, (_, n) => `h${n}: ${n}\r\n`).join('')

export const EXCHANGES: Readonly<Record<string, readonly Part[]>> = {
  'a request with duplicate headers and one named as ours': [
    get(
      '/see',
      'X-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\nX-Supervise-Hop: evil\r\nx-supervise-hop: 0u\r\nAccept: */*\r\n',
    ),
  ],
  'Latin-1 in URL and header': [get('/see?q=\xE9\xFF', 'X-L: caf\xE9\r\n')],
  'HTTP/1.0': ['GET /see HTTP/1.0\r\n\r\n'],
  'HTTP/1.0 with keep-alive': [
    'GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    60,
    'GET /see HTTP/1.0\r\n\r\n',
  ],
  'HTTP/1.0 with keep-alive and no length': ['GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\nHost: q\r\n\r\n'],
  'trailers for HTTP/1.0': ['GET /trailers HTTP/1.0\r\n\r\n'],
  'a body with a length': [post('/see', 'Content-Length: 70000\r\n', 'z'.repeat(70_000))],
  'a body without any': [post('/see', '')],
  'chunks and trailers': [
    post('/see', 'Transfer-Encoding: chunked\r\nTrailer: X-T\r\n', '5\r\nhello\r\n'),
    20,
    '3\r\nabc\r\n0\r\nX-T: 9\r\nx-u: 8\r\n\r\n',
  ],
  'GET with a body': [get('/see', 'Content-Length: 3\r\n') + 'abc'],
  'DELETE with chunks': ['DELETE /see HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  'QUERY with a body': ['QUERY /see HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nqq'],
  'Connection: close': [get('/see', 'Connection: close\r\n')],
  'headers of the hop': [
    get('/see', 'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nKeep-Alive: 300\r\n'),
  ],
  'duplicate response headers and a message of its own': [get('/duplicates')],
  'an empty reason': [get('/no-message')],
  'response trailers': [get('/trailers', 'TE: trailers\r\n')],
  '1xx responses': [get('/hints')],
  'HEAD, and the connection after it': ['HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n', 50, get('/plain')],
  'HEAD with trailers': ['HEAD /trailers HTTP/1.1\r\nHost: a\r\n\r\n', 50, get('/plain')],
  '204, and the connection after it': [get('/204'), 50, get('/plain')],
  '304, and the connection after it': [get('/304'), 50, get('/plain')],
  'a response that closes': [get('/close')],
  'a response without Date, Connection and length': [get('/bare')],
  'an event stream': [get('/pieces')],
  'an answer ahead of the body': [post('/early', 'Content-Length: 5\r\n', 'ab'), 60, 'cde' + get('/plain')],
  'requests in one piece': [get('/see?n=1&ms=30') + post('/echo', 'Content-Length: 3\r\n', 'abc') + get('/see?n=3')],
  'Expect: 100-continue': [post('/see', 'Expect: 100-continue\r\nContent-Length: 3\r\n'), 60, 'abc'],
  'Expect: 100-continue, refused': [post('/see', 'X-No: 1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n'), 60],
  'another expectation': [post('/see', 'Expect: odd\r\nContent-Length: 3\r\n', 'abc')],
  'an upgrade': [get('/ws', 'Connection: Upgrade\r\nUpgrade: echo\r\n') + 'early', 60, 'ping'],
  'an upgrade that is refused': [get('/refuse', 'Connection: Upgrade\r\nUpgrade: echo\r\n')],
  CONNECT: ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 60, 'ping'],
  'a response that breaks off': [get('/reset')],
  '300 headers': [get('/see', many(300))],
  'a head of nearly 16 KiB': [get('/see', `X-Big: ${'b'.repeat(16_384 - 60)}\r\n`)],
}

/** Answered with 400 before anything is routed. */
export const SMUGGLING: Readonly<Record<string, readonly Part[]>> = {
  'a length and chunks': [
    post('/see', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${get('/see?n=9')}`),
  ],
  'chunks that are not last': [post('/see', 'Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${get('/see?n=9')}`)],
  'two lengths': [post('/see', 'Content-Length: 4\r\nContent-Length: 5\r\n', 'abcd')],
  'bare line feeds': ['GET /see HTTP/1.1\nHost: a\n\n'],
  'a space before the colon': [get('/see', 'Content-Length : 4\r\n')],
  'no Host': ['GET /see HTTP/1.1\r\n\r\n'],
}
