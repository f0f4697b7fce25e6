// Clients for the agent's tests: each judges its own outcome and never tries again.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** One GET on a connection of its own. */
export function get(target: http.RequestOptions & { readonly tls?: boolean }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { tls, ...rest } = target
    const options: https.RequestOptions = { host: '127.0.0.1', agent: false, rejectUnauthorized: false, ...rest }
    const answered = (response: http.IncomingMessage) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    }
    const request = tls === true ? https.get(options, answered) : http.get(options, answered)
    request.on('error', reject)
  })
}

/** One GET over HTTP/2. */
export function get2(authority: string, path?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const createConnection = path === undefined ? {} : { createConnection: () => net.connect({ path }) }
    const session = http2.connect(authority, { rejectUnauthorized: false, ...createConnection })
    session.on('error', reject)
    const stream = session.request({ ':path': '/' })
    let status = 0
    let body = ''
    stream.setEncoding('utf8')
    stream.on('response', (headers) => (status = Number(headers[':status'])))
    stream.on('data', (text) => (body += text))
    stream.on('error', reject)
    stream.on('end', () => {
      session.close()
      resolve({ status, body })
    })
  })
}

/** Sends a text over TCP or a Unix socket and returns all that comes back until the end. */
export function talk(target: net.NetConnectOpts, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = net.connect(target, () => socket.end(text))
    socket.setEncoding('utf8')
    socket.on('data', (data) => (heard += data))
    socket.on('end', () => resolve(heard))
    socket.on('error', reject)
  })
}

/** Puts key.pem and cert.pem into a directory. */
export function makeCertificate(directory: string): void {
  const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')]
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=localhost',
  ]
  execFileSync('openssl', ['req', ...kind, ...files], { stdio: 'ignore' })
  readFileSync(join(directory, 'cert.pem'))
}
