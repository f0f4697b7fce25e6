import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { readOptionDocs } from '../../scripts/option-docs.ts'
import { defaultText, flagOf, flagSpecs, OPTION_KEYS, OPTIONS, variableOf } from '../../src/config/options.ts'
import type { OptionSpec } from '../../src/config/options.ts'

describe('OPTIONS', () => {
  const docs = readOptionDocs()

  it('has a comment in app-options.ts for every option', () => {
    const documented = new Set(docs.map(({ key }) => key))
    expect(OPTION_KEYS.filter((key) => !documented.has(key))).toEqual([])
  })

  it('has the defaults that the comments name', () => {
    for (const key of OPTION_KEYS) {
      const written = docs.find((doc) => doc.key === key)?.byDefault
      const { parser, byDefault }: OptionSpec<unknown> = OPTIONS[key]
      if (written === null || written === undefined || !/^['\d]|^(?:true|false)$/.test(written)) continue
      const parsed = parser.parse(written.replaceAll("'", ''), '/')
      expect([key, parsed]).toEqual([key, { ok: true, value: byDefault() }])
    }
  })

  it('has no flag, short flag or variable twice', () => {
    const names = OPTION_KEYS.flatMap((key) => [...OPTIONS[key].flag.matchAll(/-+[a-z-]+/g)].map(String))
    const variables = OPTION_KEYS.map(variableOf).filter((name) => name !== null)
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(variables).size).toBe(variables.length)
  })

  it('has defaults that its own parsers read again', () => {
    for (const key of OPTION_KEYS) {
      const { parser, byDefault, otherwise }: OptionSpec<unknown> = OPTIONS[key]
      const text = defaultText(key)
      if (text === null || otherwise !== undefined) continue
      expect([key, parser.parse(text, '/')]).toEqual([key, { ok: true, value: byDefault() }])
    }
  })
})

describe('variableOf()', () => {
  it.each([
    ['workers', 'SUPERVISE_WORKERS'],
    ['maxRequestsPerConnection', 'SUPERVISE_MAX_REQUESTS_PER_CONNECTION'],
    ['backoff.max', 'SUPERVISE_BACKOFF_MAX'],
    ['hooks.pre-rollout', 'SUPERVISE_HOOKS_PRE_ROLLOUT'],
    ['env', null],
  ] as const)('names the variable of %s %s', (key, name) => {
    expect(variableOf(key)).toBe(name)
  })
})

describe('flagOf()', () => {
  it.each([
    ['workers', '--workers'],
    ['backoff.max', '--backoff-max'],
    ['treeKill', '--no-tree-kill'],
  ] as const)('names the flag of %s %s', (key, flag) => {
    expect(flagOf(key)).toBe(flag)
  })
})

describe('flagSpecs()', () => {
  it('has one flag for every option, with its help line and default', () => {
    expect(flagSpecs().map(({ key }) => key)).toEqual(OPTION_KEYS)
    expect(flagSpecs().find(({ key }) => key === 'drainTimeout')).toEqual({
      flags: '--drain-timeout <duration>',
      description: 'how long a worker may finish its open requests (default: 30s)',
      group: 'Stop',
      repeatable: false,
      key: 'drainTimeout',
    })
    expect(flagSpecs().find(({ key }) => key === 'env')).toEqual({
      flags: '--env <NAME=value>',
      description: 'environment variable of the app',
      group: 'App',
      repeatable: true,
      key: 'env',
    })
  })

  it('loads neither valibot nor yaml, nor does finding a JSON config', () => {
    const program = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ resolve: (name, context, next) => (loaded.push(name), next(name, context)) })
      await import('./src/config/options.ts')
      await import('./src/config/sources.ts')
      await import('./src/config/read-config.ts')
      console.log(JSON.stringify(loaded.filter((name) => !name.startsWith('.') && !name.startsWith('node:'))))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(JSON.parse(output)).toEqual([])
  })
})
