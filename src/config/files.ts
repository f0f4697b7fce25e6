// Config files: which one a directory has, what it holds, and which apps are in it. What an app's options mean is not
// asked here.

import { readFile, readdir } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { configAmbiguous, configMalformed, configUnreadable } from '../errors/config.ts'
import { codeOf, messageOf } from './failure.ts'
import { name as nameParser } from './option-parsers.ts'
import { OPTION_KEYS } from './options.ts'
import { didYouMean, isRecord, quote } from './parser.ts'
import type { Path } from './schema.ts'
import { firstWordOf } from './command-parsers.ts'
import { nameOfScript } from './script.ts'
import { nearest } from './suggest.ts'

const EXTENSIONS = ['.ts', '.mts', '.mjs', '.js', '.cjs', '.json', '.yaml', '.yml']

export const CONFIG_NAMES: readonly string[] = EXTENSIONS.map((extension) => `supervise.config${extension}`)

export interface Problem {
  readonly at: Path
  readonly problem: string
}

export interface AppEntry {
  /** Where the file has it. */
  readonly at: Path
  /** As the file says it, or made from the script; null when there is neither. */
  readonly name: string | null
  /** As the file has them, unchecked. */
  readonly options: unknown
}

export interface ConfigDocument {
  readonly file: string
  readonly instance: string | null
  readonly apps: readonly AppEntry[]
  /** What is wrong around the apps. */
  readonly problems: readonly Problem[]
  /** For finding lines; null when the file is a program. */
  readonly text: string | null
}

/** The directory's config file, or null. Two of them are refused: which one is meant cannot be known. */
export async function findConfigFile(directory: string): Promise<string | null> {
  const entries = await readdir(directory).catch((): readonly string[] => [])
  const found = CONFIG_NAMES.filter((candidate) => entries.includes(candidate))
  if (found.length > 1) throw configAmbiguous(directory, found)
  return found[0] === undefined ? null : resolve(directory, found[0])
}

/** `supervise.config.js`, `prod.config.ts` and every JSON or YAML file are configs; another program is an app. */
export function isConfigName(file: string): boolean {
  const extension = extname(file)
  if (['.json', '.yaml', '.yml'].includes(extension)) return true
  return EXTENSIONS.includes(extension) && basename(file, extension).endsWith('.config')
}

/** Reads the file as it is now. `environment` is what a config that is a program sees. */
export async function readConfigFile(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<ConfigDocument> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw configUnreadable(file, codeOf(error))
  })
  if (extname(file) === '.json') return toDocument(file, parseJson(file, text), [], text)
  if (['.yaml', '.yml'].includes(extname(file))) return toDocument(file, await parseYaml(file, text), [], text)
  const { readModule } = await import('./module-file.ts')
  const { value, unfit } = await readModule(file, environment)
  const problems = unfit.map(({ at, kind }) => ({ at, problem: `${kind} is not allowed; write a plain value` }))
  return toDocument(file, value, problems, null)
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw configMalformed(file, 'JSON', [messageOf(error)])
  }
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { merge: true, logLevel: 'silent' })
  const [first] = document.errors
  if (first !== undefined) throw configMalformed(file, 'YAML', first.message.trimEnd().split('\n'))
  try {
    return document.toJS()
  } catch (error) {
    // An alias without an anchor, or too many of them.
    throw configMalformed(file, 'YAML', [messageOf(error)])
  }
}

function toDocument(file: string, value: unknown, unfit: readonly Problem[], text: string | null): ConfigDocument {
  const problems = [...unfit]
  let raw: readonly { readonly at: Path; readonly options: unknown }[] = [{ at: [], options: value }]
  let instance: string | null = null
  if (isRecord(value) && 'apps' in value) {
    raw = entriesOf(value['apps'], ['apps'], problems)
    instance = checkAround(value, problems)
  } else if (Array.isArray(value)) raw = entriesOf(value, [], problems)
  else if (!isRecord(value)) {
    raw = []
    problems.push({
      at: [],
      problem: `${quote(value)} is not a config; write an app such as { "script": "app.js" }, or { "apps": [ … ] }`,
    })
  }
  const apps = raw.map(({ at, options }) => ({ at, options, name: nameOf(options, dirname(file)) }))
  return { file, instance, apps, problems: [...problems, ...problemsOfNames(apps)], text }
}

function entriesOf(apps: unknown, at: Path, problems: Problem[]) {
  if (Array.isArray(apps) && apps.length > 0)
    return apps.map((options, index) => ({ at: [...at, index], options: options as unknown }))
  problems.push({
    at,
    problem: `${quote(apps)} is not allowed; write a list of apps, such as [{ "script": "app.js" }]`,
  })
  return []
}

/** What may stand beside `apps`. */
function checkAround(value: Readonly<Record<string, unknown>>, problems: Problem[]): string | null {
  const known = ['apps', 'instance', '$schema']
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    const ofApp = OPTION_KEYS.some((option) => option.split('.')[0] === key)
    const meant = nearest(key, known)
    const problem = ofApp
      ? 'is an option of an app; write it inside of "apps"'
      : `is not allowed here; there are ${known.join(', ')}${didYouMean(meant === null ? [] : [meant])}`
    problems.push({ at: [key], problem })
  }
  const instance = value['instance']
  if (instance === undefined) return null
  const parsed = nameParser.parse(instance, '')
  if (parsed.ok) return parsed.value
  problems.push(...parsed.refusals.map(({ problem }) => ({ at: ['instance'], problem })))
  return null
}

function nameOf(options: unknown, directory: string): string | null {
  if (!isRecord(options)) return null
  const { name } = options
  if (typeof name === 'string') return name
  const program = options['script'] ?? firstWordOf(options['command'])
  return typeof program === 'string' ? nameOfScript(resolve(directory, program)) : null
}

function problemsOfNames(apps: readonly AppEntry[]): readonly Problem[] {
  if (apps.length < 2) return []
  return apps.flatMap((app, index) => {
    if (!isRecord(app.options)) return []
    if (app.name === null) return [{ at: [...app.at, 'name'], problem: 'is missing; give each of several apps a name' }]
    const earlier = apps.findIndex((other) => other.name === app.name)
    const twice = `${quote(app.name)} is the name of ${placeOf(apps[earlier]?.at ?? [])}, too; give each app a name of its own`
    return earlier < index ? [{ at: [...app.at, 'name'], problem: twice }] : []
  })
}

/** `apps[0].backoff.max` */
export function placeOf(at: Path): string {
  return at
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')
}
