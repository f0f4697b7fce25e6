// The smoke test of a release that is up and has no public traffic yet: commands, and requests to each of its workers.

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { SmokeCheck } from '../config/app-config.ts'
import { formatDuration } from '../config/quantities.ts'
import type { GroupName } from '../protocol/messages.ts'
import { ask, type Answer } from './private-endpoint.ts'
import { runCommand } from './run-command.ts'

export interface SmokeTarget {
  readonly app: string
  readonly release: string
  readonly group: GroupName
  /** Where the preview listens, as a URL; null without one. */
  readonly previewUrl: string | null
  /** One private endpoint a worker. */
  readonly endpoints: readonly string[]
  readonly cwd: string
  /** What commands inherit. */
  readonly env: Readonly<Record<string, string>>
}

export interface SmokeResult {
  readonly passed: boolean
  /** In words; null when it passed. */
  readonly why: string | null
  /** The end of what the commands wrote; of the one that failed, when one did. */
  readonly output: string
}

type HttpCheck = Extract<SmokeCheck, { by: 'http' }>

/** Between two attempts. */
const AGAIN_MS = 1000
/** A page in which the text to look for comes later than this is no smoke test. */
const MOST_BODY_BYTES = 1024 ** 2

/** Runs one check after the other, up to the first that fails. Never rejects. */
export async function runSmokeTest(
  checks: readonly SmokeCheck[],
  target: SmokeTarget,
  signal?: AbortSignal,
): Promise<SmokeResult> {
  let output = ''
  for (const check of checks) {
    if (signal?.aborted === true) return { passed: false, why: 'the smoke test was aborted', output }
    const result =
      check.by === 'command'
        ? await runOne(check.command, check.withinMs, target, signal)
        : await askAll(check, target, signal)
    if (!result.passed) return result
    output = result.output === '' ? output : result.output
  }
  return { passed: true, why: null, output }
}

async function runOne(
  command: string,
  withinMs: number,
  target: SmokeTarget,
  signal?: AbortSignal,
): Promise<SmokeResult> {
  const { cwd } = target
  const { problem, output } = await runCommand({ command, cwd, env: environmentOf(target), withinMs, signal })
  return { passed: problem === null, why: problem === null ? null : `the smoke test \`${command}\` ${problem}`, output }
}

/** What a command can know of the release that it tests. */
function environmentOf({ app, release, group, previewUrl, endpoints, env }: SmokeTarget): Record<string, string> {
  const [endpoint] = endpoints
  return {
    ...env,
    SUPERVISE_APP: app,
    SUPERVISE_RELEASE: release,
    SUPERVISE_GROUP: group,
    ...(previewUrl === null ? {} : { SUPERVISE_PREVIEW_URL: previewUrl }),
    // For `curl --unix-socket`.
    ...(endpoint === undefined ? {} : { SUPERVISE_ENDPOINT: endpoint }),
  }
}

async function askAll(check: HttpCheck, target: SmokeTarget, signal?: AbortSignal): Promise<SmokeResult> {
  if (target.endpoints.length === 0) return refusal(check, 'cannot be asked: the app listens nowhere')
  const problems = await Promise.all(target.endpoints.map((endpoint) => askAgain(check, endpoint, signal)))
  const problem = problems.find((one) => one !== null)
  return problem === undefined ? { passed: true, why: null, output: '' } : refusal(check, problem)
}

function refusal({ path }: HttpCheck, problem: string): SmokeResult {
  return { passed: false, why: `the smoke test of ${path} ${problem}`, output: '' }
}

/** Why the last attempt was no success; null when one was. */
async function askAgain(check: HttpCheck, endpoint: string, signal?: AbortSignal): Promise<string | null> {
  let problem: string | null = null
  for (let attempt = 1; attempt <= check.attempts; attempt += 1) {
    if (attempt > 1) await pause(AGAIN_MS, undefined, { signal }).catch(() => undefined)
    if (signal?.aborted === true) return 'was aborted'
    problem = await askOnce(check, endpoint, signal)
    if (problem === null) return null
  }
  return check.attempts > 1 ? `${problem}, ${check.attempts} times` : problem
}

async function askOnce(check: HttpCheck, endpoint: string, signal?: AbortSignal): Promise<string | null> {
  const { path, withinMs } = check
  const question = check.body === null ? ask(endpoint, path, withinMs) : askForBody(endpoint, path, withinMs)
  const { status, problem, body = '' }: Page = await untilAborted<Page>(question, signal)
  if (status === null) return problem
  if (check.status === null && problem !== null) return problem
  if (check.status !== null && status !== check.status) return `answered ${status}, and ${check.status} was expected`
  return check.body === null || body.includes(check.body) ? null : `answered without ${JSON.stringify(check.body)}`
}

interface Page extends Answer {
  readonly body?: string
}

/** The question itself ends by its time-out; only the wait for it is cut short. */
async function untilAborted<Given extends Answer>(
  answer: Promise<Given>,
  signal?: AbortSignal,
): Promise<Given | Answer> {
  if (signal === undefined) return answer
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const onAbort = (): void => resolve({ status: null, problem: 'was aborted' })
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([answer, promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

/** As `ask`, in HTTP/1.1 only, and with what was answered. */
async function askForBody(endpoint: string, path: string, withinMs: number): Promise<Page> {
  const { request } = process.getBuiltinModule('node:http')
  const headers = { host: 'localhost', 'user-agent': 'supervise', connection: 'close' }
  const signal = AbortSignal.timeout(withinMs)
  const asked = request({ socketPath: endpoint, path, headers, agent: false, signal })
  // Errors after the response reach whoever reads it.
  asked.on('error', () => undefined)
  try {
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const status = response.statusCode ?? 0
    const problem = status >= 200 && status < 300 ? null : `answered ${status}`
    return { status, problem, body: await readStart(response) }
  } catch (error) {
    if (signal.aborted) return { status: null, problem: `was not answered within ${formatDuration(withinMs)}` }
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    return { status: null, problem: `cannot be asked in HTTP/1.1 (${code})` }
  } finally {
    asked.destroy()
  }
}

async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= MOST_BODY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
