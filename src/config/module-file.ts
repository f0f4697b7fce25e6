// Reads a config file that is JavaScript or TypeScript, in a short-lived process: a module is cached for the life of the
// process that imports it, and a running supervisor must see what the file says now.

import { spawn } from 'node:child_process'
import { dirname, extname } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { configEvaluationFailed, configEvaluationTimedOut, configExportsNothing } from '../errors/config.ts'
import type { Path } from './schema.ts'

/** Beside this file, as it is in the sources or as a bundle of its own. */
const EVALUATOR = fileURLToPath(
  new URL(`evaluate-module.${extname(import.meta.url) === '.ts' ? 'ts' : 'mjs'}`, import.meta.url),
)
const QUIET = ['--disable-warning=ExperimentalWarning', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON']
const LIMIT_MS = 10_000
const SHOWN_LINES = 12
/** Node's own exit code for a top-level `await` that nothing will ever settle. */
const UNSETTLED = 13

export interface ModuleValue {
  readonly value: unknown
  /** What cannot be a value of a config, such as a function. */
  readonly unfit: readonly { readonly at: Path; readonly kind: string }[]
}

interface Evaluation {
  readonly code: number | null
  readonly timedOut: boolean
  /** What the config wrote to stdout and stderr. */
  readonly talk: string
  readonly result: string
}

/** What the module exports by default; a function is called, a promise awaited. */
export async function readModule(file: string, environment: Readonly<Record<string, string>>, limitMs = LIMIT_MS) {
  const evaluation = await evaluate(file, environment, limitMs)
  if (evaluation.result !== '') {
    if (evaluation.talk !== '') process.stderr.write(evaluation.talk)
    // The evaluator's own writing, in this same folder.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { value, unfit } = JSON.parse(evaluation.result) as Partial<ModuleValue>
    if (value === undefined && unfit?.length === 0) throw configExportsNothing(file)
    return { value, unfit: unfit ?? [] } satisfies ModuleValue
  }
  if (evaluation.timedOut) throw configEvaluationTimedOut(file, limitMs)
  if (evaluation.code === UNSETTLED) throw configEvaluationFailed(file, ['A top-level await never settles.'])
  const lines = shortenStack(evaluation.talk)
  throw configEvaluationFailed(file, lines.length > 0 ? lines : [`It ended the process with code ${evaluation.code}.`])
}

function evaluate(file: string, environment: Readonly<Record<string, string>>, limitMs: number): Promise<Evaluation> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [...QUIET, EVALUATOR, file], {
      cwd: dirname(file),
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    let talk = ''
    let result = ''
    let timedOut = false
    readText(child.stdout, (text) => (talk += text))
    readText(child.stderr, (text) => (talk += text))
    readText(child.stdio[3], (text) => (result += text))
    const finish = () => {
      clearTimeout(timer)
      done({ code: child.exitCode, timedOut, talk, result })
    }
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
      // What the config started may hold the pipes open for ever.
      for (const stream of child.stdio) stream?.destroy()
      finish()
    }, limitMs)
    child.once('error', fail)
    child.once('close', finish)
  })
}

function readText(stream: unknown, take: (text: string) => void): void {
  if (stream instanceof Readable) stream.setEncoding('utf8').on('data', take)
}

/** Node's report of an uncaught exception without the lines about Node and about the evaluator. */
function shortenStack(report: string): readonly string[] {
  // An exception thrown inside Node begins with the place in Node, which tells a user nothing.
  const text = report
    .replace(/^node:internal[^]*?\n\n?(?=\S*(?:\/|Error|[A-Z]\w*Error))/, '')
    .replace(/ \{\n(?: .*\n)*\}/, '')
  const lines = text
    .replaceAll('file://', '')
    .split('\n')
    .filter(
      (line) => !/^\s+at .*(?:node:|evaluate-module)/.test(line) && !/^Node\.js v\d/.test(line) && line.trim() !== '',
    )
  return lines.slice(0, SHOWN_LINES)
}
