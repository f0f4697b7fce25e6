// What `supervise start [target]` means: a script, a config file, a directory, or what is found right here.

import { basename, extname, join, resolve } from 'node:path'
import { flagForOneApp, nothingToStart, targetNotFound } from '../errors/config.ts'
import type { ConfigSource, FlagValues } from './app-config.ts'
import { CONFIG_NAMES, findConfigFile, isConfigName, readConfigFile } from './files.ts'
import type { ConfigDocument } from './files.ts'
import { mistakesAround, mistakesError } from './mistakes.ts'
import { flagOf, variableOf } from './options.ts'
import type { OptionKey } from './options.ts'
import { COMMON_SCRIPTS, isDirectory, isFile, likelyTarget, mainOf } from './script.ts'
import type { AppInput } from './settings.ts'

export interface TargetRequest {
  /** As typed; null for what is found in the directory. */
  readonly target: string | null
  readonly flags: FlagValues
  /** The directory that the command was typed in. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

/** What was found, with the file already read. */
export interface Target {
  readonly instance: string | null
  readonly document: ConfigDocument | null
  readonly inputs: readonly AppInput[]
}

/** Finds what is to be started and which apps it has. What their options say is not checked yet. */
export async function findSources(
  request: TargetRequest,
): Promise<{ readonly instance: string | null; readonly sources: readonly ConfigSource[] }> {
  const { instance, document, inputs } = await openTarget(request)
  const mistakes = mistakesAround(document)
  if (mistakes.length > 0) throw await mistakesError(mistakes, document)
  return { instance, sources: inputs.map(({ source }) => source) }
}

export async function openTarget(request: TargetRequest): Promise<Target> {
  const { target, directory } = request
  if (target === null && request.flags['command'] !== undefined) return withoutFile(request.flags, request)
  if (target === null) return openDirectory(directory, request)
  const path = resolve(directory, target)
  if (isDirectory(path)) return openDirectory(path, request)
  if (!isFile(path)) throw targetNotFound(target, likelyTarget(path, directory))
  return isConfigName(path) ? openConfig(path, request) : openScript(path, request)
}

async function openDirectory(directory: string, request: TargetRequest): Promise<Target> {
  const config = await findConfigFile(directory)
  if (config !== null) return openConfig(config, request)
  const main = mainOf(directory)
  if (main === null) throw nothingToStart(directory, whatWasLookedFor(directory))
  const flags = directory === request.directory ? request.flags : { cwd: directory, ...request.flags }
  return openScript(main, { ...request, flags })
}

function whatWasLookedFor(directory: string): readonly string[] {
  const [firstConfig = ''] = CONFIG_NAMES
  const extensions = CONFIG_NAMES.map((name) => extname(name).slice(1)).join(', ')
  const stems = [...new Set(COMMON_SCRIPTS.map((name) => basename(name, extname(name))))].join(', ')
  return [
    `a config: ${join(directory, basename(firstConfig, extname(firstConfig)))}.{${extensions}}`,
    `the "main" of ${join(directory, 'package.json')}`,
    `a script: ${stems}, as js, mjs, cjs, ts or mts`,
  ]
}

function openScript(script: string, request: TargetRequest): Target {
  return withoutFile({ script, ...request.flags }, request)
}

function withoutFile(flags: FlagValues, { directory, environment }: TargetRequest): Target {
  const source = { file: null, app: null, flags, directory, environment }
  return { instance: null, document: null, inputs: [{ source, document: null, entry: null }] }
}

async function openConfig(file: string, { flags, directory, environment }: TargetRequest): Promise<Target> {
  const document = await readConfigFile(file, environment)
  const inputs = document.apps.map((entry) => ({
    source: { file, app: entry.name, flags, directory, environment },
    document,
    entry,
  }))
  if (inputs.length > 1) refuseForSeveral(['name', 'script', 'command'], document, inputs[0]?.source)
  return { instance: document.instance, document, inputs }
}

/** One name or one script cannot be that of several apps. */
function refuseForSeveral(
  keys: readonly OptionKey[],
  document: ConfigDocument,
  source: ConfigSource | undefined,
): void {
  for (const key of keys) {
    const variable = variableOf(key)
    const names = document.apps.map(({ name }) => name ?? '')
    if (source?.flags[key] !== undefined) throw flagForOneApp(flagOf(key), document.file, names)
    if (variable !== null && source?.environment[variable]) throw flagForOneApp(variable, document.file, names)
  }
}

/** The entry of the file that a source means; null when it is not there any more. */
export function entryOf(document: ConfigDocument, app: string | null) {
  if (app === null) return document.apps.length === 1 ? (document.apps[0] ?? null) : null
  return document.apps.find(({ name }) => name === app) ?? null
}
