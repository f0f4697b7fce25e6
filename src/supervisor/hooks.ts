// Hooks: telling somebody else what happens in a rollout, or asking whether it may go on. A command gets what is to be
// known on its stdin, a URL in the body of a POST; both as JSON.

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Hook, HookName } from '../config/app-config.ts'
import { showHook } from '../config/deploy-parsers.ts'
import { formatDuration } from '../config/quantities.ts'
import { OUTPUT_BYTES, runCommand, Tail } from './run-command.ts'

export interface HookCall extends OutsideCall {
  readonly name: HookName
}

/** Somebody outside who is told something. */
export interface OutsideCall {
  readonly hook: Hook
  /** What is to be known, as JSON. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly cwd: string
  /** What a command inherits. */
  readonly env: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface HookAnswer {
  readonly yes: boolean
  /** Why not, in words; null when it said yes. */
  readonly why: string | null
  /** The end of what it wrote or answered. */
  readonly output: string
}

/** Never rejects. */
export async function runHook(call: HookCall): Promise<HookAnswer> {
  const { hook, name } = call
  const { problem, output } = await tellOutside({ ...call, env: { ...call.env, SUPERVISE_HOOK: name } })
  return {
    yes: problem === null,
    why: problem === null ? null : `the hook ${name} (${showHook(hook)}) ${problem}`,
    output,
  }
}

/** Never rejects. */
export function tellOutside(call: OutsideCall): Promise<OutsideEnd> {
  const { hook } = call
  return hook.by === 'command' ? runIt(call, hook.command) : postIt(call, hook.url)
}

export interface OutsideEnd {
  /** In words that follow who was told; null when it went well. */
  readonly problem: string | null
  readonly output: string
}

function runIt({ hook, payload, cwd, env, signal }: OutsideCall, command: string): Promise<OutsideEnd> {
  return runCommand({
    command,
    cwd,
    env,
    withinMs: hook.withinMs,
    input: `${JSON.stringify(payload)}\n`,
    signal,
  })
}

async function postIt({ hook, payload, signal }: OutsideCall, url: string): Promise<OutsideEnd> {
  const tooLate = AbortSignal.timeout(hook.withinMs)
  const tail = new Tail(OUTPUT_BYTES)
  try {
    const response = await post(url, JSON.stringify(payload), AbortSignal.any([tooLate, ...(signal ? [signal] : [])]))
    for await (const chunk of response as AsyncIterable<Buffer>) tail.add(chunk)
    const status = response.statusCode ?? 0
    return { problem: status >= 200 && status < 300 ? null : `answered ${status}`, output: tail.text() }
  } catch (error) {
    if (signal?.aborted === true) return { problem: 'was aborted', output: tail.text() }
    const problem = tooLate.aborted ? `did not answer within ${formatDuration(hook.withinMs)}` : whyNotAsked(error)
    return { problem, output: tail.text() }
  }
}

async function post(url: string, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  const module = url.startsWith('https:') ? 'node:https' : 'node:http'
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'supervise',
    connection: 'close',
  }
  const asked = process.getBuiltinModule(module).request(url, { method: 'POST', headers, agent: false, signal })
  // Errors after the response reach whoever reads it.
  asked.on('error', () => undefined)
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

function whyNotAsked(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ECONNREFUSED':
      return 'is down: nothing listens there'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'cannot be reached: its host is not known'
    case 'ECONNRESET':
    case 'EPIPE':
      return 'closed the connection without an answer'
    case undefined:
    default:
      return `cannot be asked (${code ?? message})`
  }
}
