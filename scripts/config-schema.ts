// The JSON Schema of a config file, for editors. The parsers have the last word; the schema only helps while typing.

import { OPTION_KEYS, OPTIONS } from '../src/config/options.ts'
import type { OptionKey, OptionSpec } from '../src/config/options.ts'
import { readOptionDocs } from './option-docs.ts'

type Properties = Readonly<Record<string, object>>

export function renderConfigSchema(): object {
  const texts = new Map(readOptionDocs().map(({ key, text }) => [key, text]))
  const describe = (key: string, schema: object) => ({ ...schema, description: texts.get(key) ?? '' })
  const leaf = (key: OptionKey) => describe(key, jsonOf(key))
  const objectOf = (parent: string) => {
    const keys = OPTION_KEYS.filter((key) => key.startsWith(`${parent}.`))
    return strict(Object.fromEntries(keys.map((key) => [key.slice(parent.length + 1), leaf(key)])))
  }
  const plain = OPTION_KEYS.filter((key) => !key.includes('.') && key !== 'watch')
  const properties: Properties = {
    ...Object.fromEntries(plain.map((key) => [key, leaf(key)])),
    liveness: describe('liveness', objectOf('liveness')),
    backoff: describe('backoff', objectOf('backoff')),
    hooks: describe('hooks', objectOf('hooks')),
    log: describe('log', objectOf('log')),
    tracing: describe('tracing', objectOf('tracing')),
    metrics: describe('metrics', objectOf('metrics')),
    watch: describe('watch', { anyOf: [jsonOf('watch'), objectOf('watch')] }),
  }
  const list = { type: 'array', items: { $ref: '#/definitions/app' }, minItems: 1 }
  const $schema = { type: 'string' }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'supervise.config',
    definitions: {
      app: { ...strict({ $schema, ...properties }), anyOf: [{ required: ['script'] }, { required: ['command'] }] },
    },
    // Chosen by what is there, so that an editor tells of one mistake and not of every form that does not fit.
    if: { type: 'array' },
    // oxlint-disable-next-line unicorn/no-thenable
    then: list,
    else: {
      if: { required: ['apps'] },
      // oxlint-disable-next-line unicorn/no-thenable
      then: strict({ $schema, instance: describe('apps:instance', jsonOf('name')), apps: list }, ['apps']),
      else: { $ref: '#/definitions/app' },
    },
  }
}

function jsonOf(key: OptionKey): object {
  const { parser }: OptionSpec<unknown> = OPTIONS[key]
  return parser.json
}

function strict(properties: Properties, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false }
}
