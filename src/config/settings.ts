// What was set for one app, and where: flags over SUPERVISE_ variables over the config file, each option by itself.

import { dirname } from 'node:path'
import type { ConfigSource } from './app-config.ts'
import type { AppEntry, ConfigDocument } from './files.ts'
import type { Mistake, Origin } from './mistakes.ts'
import { flagOf, OPTION_KEYS, OPTIONS, variableOf } from './options.ts'
import type { OptionKey, OptionSpec, OptionValues } from './options.ts'
import { didYouMean } from './parser.ts'
import { nearest } from './suggest.ts'

export type Layer = 'file' | 'variable' | 'flag'

/** From the weakest to the strongest. */
const LAYERS: readonly Layer[] = ['file', 'variable', 'flag']

type LayerValues = ReadonlyMap<string, unknown>

/** Where the options of one app come from. */
export interface AppInput {
  readonly source: ConfigSource
  /** Null when the script was given on the command line. */
  readonly document: ConfigDocument | null
  readonly entry: AppEntry | null
}

/** The settings of one app; every value in it went through the option's parser. */
export class Settings {
  readonly #layers: Readonly<Record<Layer, LayerValues>>
  readonly #entry: AppEntry | null

  constructor(layers: Readonly<Record<Layer, LayerValues>>, entry: AppEntry | null) {
    this.#layers = layers
    this.#entry = entry
  }

  /** What one layer says; undefined when it says nothing. */
  in<Key extends OptionKey>(layer: Layer, key: Key): OptionValues[Key] | undefined {
    // The map was filled with this option's own parser.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#layers[layer].get(key) as OptionValues[Key] | undefined
  }

  /** What holds: the strongest layer's value, or the default. */
  get<Key extends OptionKey>(key: Key): OptionValues[Key] {
    const layer = this.layerOf(key)
    return (layer === null ? undefined : this.in(layer, key)) ?? OPTIONS[key].byDefault()
  }

  /** The strongest layer that sets the option, or null. */
  layerOf(key: OptionKey): Layer | null {
    return LAYERS.findLast((layer) => this.#layers[layer].has(key)) ?? null
  }

  /** Where a mistake with the option's value is to be corrected; where it could be written, when nobody did. */
  originOf(key: OptionKey): Origin {
    const layer = this.layerOf(key)
    const variable = variableOf(key)
    if (layer === 'variable' && variable !== null) return { in: 'variable', name: variable }
    if (layer === 'flag' || this.#entry === null) return { in: 'flag', flag: flagOf(key) }
    return { in: 'file', at: [...this.#entry.at, ...key.split('.')] }
  }
}

/** Parses everything that was set, and says all that is wrong with it. */
export async function readSettings({ source, document, entry }: AppInput) {
  const mistakes: Mistake[] = []
  const layers = {
    file: new Map<string, unknown>(),
    variable: parseLayer(variablesOf(source), source.directory, mistakes),
    flag: parseLayer(flagsOf(source, mistakes), source.directory, mistakes),
  }
  if (document !== null && entry !== null) {
    // Loaded here, since the command line asks for flags and sources without it.
    const { checkApp } = await import('./schema.ts')
    const { values, problems } = checkApp(entry.options, dirname(document.file))
    layers.file = new Map(values)
    for (const { at, problem } of problems) mistakes.push({ origin: { in: 'file', at: [...entry.at, ...at] }, problem })
  }
  return { settings: new Settings(layers, entry), mistakes }
}

interface Given {
  readonly key: OptionKey
  readonly value: unknown
  readonly origin: Origin
}

function variablesOf(source: ConfigSource): readonly Given[] {
  return OPTION_KEYS.flatMap((key) => {
    const name = variableOf(key)
    const value = name === null ? undefined : source.environment[name]
    // An empty variable is how a shell or a unit file leaves one out.
    return name === null || value === undefined || value === ''
      ? []
      : [{ key, value, origin: { in: 'variable', name } }]
  })
}

function flagsOf(source: ConfigSource, mistakes: Mistake[]): readonly Given[] {
  return Object.entries(source.flags).flatMap(([given, value]) => {
    const key = OPTION_KEYS.find((option) => option === given)
    if (key !== undefined) return [{ key, value, origin: { in: 'flag', flag: flagOf(key) } satisfies Origin }]
    const meant = nearest(`--${given}`, OPTION_KEYS.map(flagOf))
    const problem = `is not a flag of an app${didYouMean(meant === null ? [] : [meant])}`
    mistakes.push({ origin: { in: 'flag', flag: given }, problem })
    return []
  })
}

function parseLayer(given: readonly Given[], directory: string, mistakes: Mistake[]): Map<string, unknown> {
  const values = new Map<string, unknown>()
  for (const { key, value, origin } of given) {
    const { parser }: OptionSpec<unknown> = OPTIONS[key]
    const parsed = parser.parse(value, directory)
    if (parsed.ok) values.set(key, parsed.value)
    else mistakes.push(...parsed.refusals.map(({ problem }) => ({ origin, problem })))
  }
  return values
}
