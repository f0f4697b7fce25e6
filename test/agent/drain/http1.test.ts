import { EXCHANGE_CASES } from './exchange-cases.ts'
import { LAST_RESPONSE_CASES } from './last-response-cases.ts'
import { runCases } from './run-cases.ts'
import type { Kind } from './worker.ts'

const ALL: readonly Kind[] = ['http', 'https', 'h1']
const CASES = { ...LAST_RESPONSE_CASES, ...EXCHANGE_CASES }

runCases('drain', ALL, CASES)
// How a drain begins makes no difference to the transport below; the others take half a minute more.
runCases('close', process.env.SUPERVISE_SOAK ? ALL : ['http'], CASES)
