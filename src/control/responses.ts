// How answers leave the control socket: JSON documents with `schema` on top, and errors with a fitting HTTP status.

import type { ServerResponse } from 'node:http'
import { EXIT, type ErrorBody, type ExitCode, type SuperviseError } from '../errors.ts'
import { SCHEMA, type OperationResult } from './messages.ts'

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  UNKNOWN_ROUTE: 404,
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_CONTENT: 415,
  TOO_MANY_STREAMS: 503,
  FOREIGN_HOST: 421,
  TOKEN_NEEDED: 401,
}

const STATUS_BY_EXIT: Readonly<Partial<Record<ExitCode, number>>> = {
  [EXIT.usage]: 400,
  [EXIT.unknownTarget]: 404,
  [EXIT.busy]: 409,
  [EXIT.invalidConfig]: 422,
  [EXIT.noPermission]: 403,
}

export function respond(response: ServerResponse, status: number, body: object): void {
  // The client has gone, or the connection broke in the middle of another answer.
  if (response.headersSent || response.destroyed) return
  const text = `${JSON.stringify({ schema: SCHEMA, ...body })}\n`
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

export function respondText(response: ServerResponse, contentType: string, text: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

export function respondError(response: ServerResponse, error: SuperviseError): void {
  respond(response, statusOf(error), { error: error.toJSON() })
}

/** A client that knows nothing but the status must not take a failed reload for a good one. */
export function statusOfResults(results: readonly OperationResult[]): number {
  const failed = results.find((result) => !result.ok)
  if (failed === undefined) return 200
  return failed.error === null ? 500 : statusOf(failed.error)
}

function statusOf(error: Pick<ErrorBody, 'code' | 'exitCode'>): number {
  return STATUS_BY_CODE[error.code] ?? STATUS_BY_EXIT[error.exitCode] ?? 500
}
