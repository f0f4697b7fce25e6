// What the cases have in common: what a good answer is, and how a WebSocket begins and ends.

import { expect } from 'vitest'

import { connectIdle, get, UPGRADE, type Client, type Response } from './client.ts'
import { sleep, type Environment, type WorkerUnderTest } from './worker.ts'

/** A case runs against a fresh worker. */
export interface Case {
  readonly env?: Environment
  /** Too slow, or no different, over TLS. */
  readonly plainOnly?: boolean
  /** What it proves exists only when the supervisor has ordered the drain. */
  readonly drainOnly?: boolean
  readonly run: (worker: WorkerUnderTest) => Promise<void>
}

/** A body that does not fit into one read with its head. */
export const BODY_LENGTH = 16_384

export async function good(client: Client, isClose?: boolean): Promise<Response> {
  const response = await client.response()
  expect(response.status).toBe(200)
  if (isClose !== undefined) expect(response.isClose).toBe(isClose)
  return response
}

/** `count` responses, of which the last alone says close. */
export async function goodInOrder(client: Client, count: number): Promise<Response> {
  // oxlint-disable-next-line no-await-in-loop -- in their order
  for (let i = 1; i < count; i++) await good(client, false)
  return good(client, true)
}

export async function lengthEchoed(client: Client, isClose?: boolean): Promise<void> {
  expect((await good(client, isClose)).body.toString()).toBe(`len${BODY_LENGTH}`)
  await client.finished()
}

export async function openWebSocket(worker: WorkerUnderTest): Promise<Client> {
  const client = await connectIdle(worker)
  client.write(get('/ws', UPGRADE))
  await client.receive('101 ')
  await sleep(30)
  client.bytes = Buffer.alloc(0)
  return client
}

export function expectCloseFrame(bytes: Buffer): void {
  expect(bytes[0]).toBe(0x88)
  expect(bytes.readUInt16BE(2)).toBe(1001)
  expect(bytes.length).toBe(2 + (bytes[1] ?? 0))
  expect(bytes.length).toBeGreaterThan(4)
}

export function many<Value>(count: number, make: () => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: count }, make))
}
