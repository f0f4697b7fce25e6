import { createServer, IncomingMessage, OutgoingMessage } from 'node:http'
import { Socket } from 'node:net'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { closeWithoutCutting, cutHeaders, replaceMethod, restoreMethod } from '../../../src/agent/node-internals.ts'

async function missingInternals(): Promise<string[]> {
  vi.resetModules()
  return (await import('../../../src/agent/node-internals.ts')).missingInternals()
}

describe('missingInternals()', () => {
  const { _storeHeader: original } = OutgoingMessage.prototype as { _storeHeader?: unknown }
  beforeEach(() => void Reflect.deleteProperty(OutgoingMessage.prototype, '_storeHeader'))
  afterEach(() => void Reflect.set(OutgoingMessage.prototype, '_storeHeader', original))

  it('names what this Node lacks, and what is skipped for it', async () => {
    expect(await missingInternals()).toEqual(['_storeHeader: responses announce the close too early'])
  })

  it('is empty on the Nodes that we know', async () => {
    Reflect.set(OutgoingMessage.prototype, '_storeHeader', original)
    expect(await missingInternals()).toEqual([])
  })
})

describe('cutHeaders()', () => {
  it('takes off what is at the end, also from what was parsed before', () => {
    const request = new IncomingMessage(new Socket())
    request.rawHeaders.push('a', '1', 'B', '2')
    const count = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'kHeadersCount')
    if (count === undefined) throw new Error('no kHeadersCount')
    Reflect.set(request, count, 4)
    expect(request.headers).toEqual({ a: '1', b: '2' })
    expect(Object.keys(request.headersDistinct)).toEqual(['a', 'b'])
    cutHeaders(request, 2)
    expect(request.rawHeaders).toEqual(['a', '1'])
    expect(request.headers).toEqual({ a: '1' })
    expect(Object.keys(request.headersDistinct)).toEqual(['a'])
  })
})

describe('closeWithoutCutting()', () => {
  it('keeps time-outs enforced until the server has closed', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const interval = () =>
      Object.getOwnPropertySymbols(server)
        .filter(({ description }) => description === 'http.server.connectionsCheckingInterval')
        .map((symbol) => Reflect.get(server, symbol) as { readonly _destroyed: boolean })[0]
    const closed = new Promise((resolve) => server.once('close', resolve))
    closeWithoutCutting(server, () => server.close())
    expect(interval()?._destroyed).toBe(false)
    await closed
    expect(interval()?._destroyed).toBe(true)
  })
})

function say(word: string): () => string {
  return () => word
}

describe('restoreMethod()', () => {
  it('shows the original again, unless somebody else has replaced it', () => {
    const ours = say('ours')
    const target = Object.create({ word: say('own') }) as { word(): string }
    replaceMethod(target, 'word', ours)
    expect(Object.keys(target)).toEqual([])
    expect(target.word()).toBe('ours')
    restoreMethod(target, 'word', ours)
    expect(target.word()).toBe('own')

    replaceMethod(target, 'word', ours)
    replaceMethod(target, 'word', say('theirs'))
    restoreMethod(target, 'word', ours)
    expect(target.word()).toBe('theirs')
  })
})
