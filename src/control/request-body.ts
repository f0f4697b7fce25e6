// Takes a request's body off the wire: bounded, JSON, an object.

import type { IncomingMessage } from 'node:http'
import { badRequest, bodyTooLarge, unsupportedContent } from '../errors/control.ts'
import { isFields, type Fields } from './request-values.ts'

/** An oversized body is read on for this long, since a client that still writes would miss the answer. */
const DISCARD_MS = 1_000

/** An empty body is an empty object, so that `curl -X POST` is enough where nothing has to be said. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Fields> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced === 0 && request.headers['transfer-encoding'] === undefined) return {}
  if (announced > maxBytes) return refuse(request, maxBytes)
  const bytes = await collect(request, maxBytes)
  if (bytes === null) return refuse(request, maxBytes)
  if (bytes.length === 0) return {}
  checkContent(request)
  return parse(bytes)
}

async function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let length = 0
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= maxBytes) return
      request.off('data', onData)
      resolve(null)
    }
    request.on('data', onData)
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => reject(new ClientGone()))
  })
}

/** The client went before its request was whole: there is nobody to answer. */
export class ClientGone extends Error {}

async function refuse(request: IncomingMessage, maxBytes: number): Promise<never> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DISCARD_MS)
    const finish = () => {
      clearTimeout(timer)
      resolve()
    }
    request.on('end', finish).on('error', finish).on('close', finish).resume()
  })
  throw bodyTooLarge(maxBytes)
}

function checkContent(request: IncomingMessage): void {
  const type = request.headers['content-type'] ?? 'without content-type'
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const isJson = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type)
  if (!isJson) throw unsupportedContent(type)
  if (encoding !== 'identity') throw unsupportedContent(`${type}, ${encoding}`)
}

function parse(bytes: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw badRequest(
      `its body is not JSON (${error instanceof Error ? error.message : String(error)})`,
      'Send one JSON object in UTF-8.',
    )
  }
  if (!isFields(value)) throw badRequest('its body is JSON, but not an object', 'Send one JSON object, such as {}.')
  return value
}
