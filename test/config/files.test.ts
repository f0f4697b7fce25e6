import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CONFIG_NAMES, findConfigFile, isConfigName, placeOf, readConfigFile } from '../../src/config/files.ts'
import { project, refusal } from './project.ts'

const APP = { script: 'app.js', workers: 2 }
const AS_JSON = JSON.stringify(APP)

describe('findConfigFile()', () => {
  it.each(CONFIG_NAMES)('finds %s', async (name) => {
    const directory = project({ [name]: '' })
    expect(await findConfigFile(directory)).toBe(join(directory, name))
  })

  it('finds none', async () => {
    expect(await findConfigFile(project())).toBeNull()
  })

  it('refuses two, and names both', async () => {
    const directory = project({ 'supervise.config.yaml': '', 'supervise.config.ts': '' })
    expect((await refusal(findConfigFile(directory))).toJSON()).toEqual({
      code: 'CONFIG_AMBIGUOUS',
      message: `Cannot choose a config in "${directory}": it has "supervise.config.ts" and "supervise.config.yaml"`,
      fix: 'Remove all but one, or name the one that you mean: `supervise start supervise.config.ts`.',
      exitCode: 78,
      lines: [],
    })
  })
})

describe('isConfigName()', () => {
  it.each([
    ['supervise.config.js', true],
    ['prod.config.mts', true],
    ['apps.yml', true],
    ['apps.json', true],
    ['app.js', false],
    ['config.js', false],
    ['server', false],
  ])('takes %s for a config: %s', (file, is) => {
    expect(isConfigName(`/srv/${file}`)).toBe(is)
  })
})

describe('readConfigFile()', () => {
  it.each([
    ['supervise.config.json', AS_JSON],
    ['supervise.config.json', `\uFEFF${AS_JSON}`],
    ['supervise.config.yaml', 'script: app.js\nworkers: 2'],
    ['supervise.config.yml', 'base: &base { workers: 2 }\n<<: *base\nscript: app.js'],
    [
      'supervise.config.ts',
      `const app: { script: string } = { script: 'app.js' }\nexport default { ...app, workers: 2 }`,
    ],
    ['supervise.config.mts', `export default Promise.resolve(${AS_JSON})`],
    ['supervise.config.mjs', `export default ({ env }) => ({ script: env.SCRIPT, workers: 2 })`],
    ['supervise.config.js', `export default async () => (${AS_JSON})`],
    ['supervise.config.js', `module.exports = ${AS_JSON}`],
    ['supervise.config.cjs', `exports.__esModule = true; exports.default = ${AS_JSON}`],
    ['supervise.config.mjs', `console.log('noise'); setInterval(() => {}, 1000); export default ${AS_JSON}`],
  ])('reads %s: %s', async (name, text) => {
    const directory = project({ [name]: text })
    const document = await readConfigFile(join(directory, name), { SCRIPT: 'app.js' })
    expect(document.problems).toEqual([])
    expect(document.apps).toMatchObject([{ at: [], name: 'app', options: APP }])
  })

  it.each([
    ['a list', `[${AS_JSON}]`, [[0]], null],
    ['apps', `{"apps":[${AS_JSON}]}`, [['apps', 0]], null],
    ['apps with an instance', `{"$schema":"x","instance":"shop","apps":[${AS_JSON}]}`, [['apps', 0]], 'shop'],
  ])('finds the apps of %s', async (_, text, places, instance) => {
    const document = await readConfigFile(join(project({ 'x.json': text }), 'x.json'), {})
    expect([document.apps.map(({ at }) => at), document.instance]).toEqual([places, instance])
  })

  it.each([
    ['3', [], '3 is not a config; write an app such as { "script": "app.js" }, or { "apps": [ … ] }'],
    ['[]', [], '[] is not allowed; write a list of apps, such as [{ "script": "app.js" }]'],
    ['{"apps":{}}', ['apps'], '{} is not allowed; write a list of apps, such as [{ "script": "app.js" }]'],
    ['[{"script":"a.js"},{}]', [1, 'name'], 'is missing; give each of several apps a name'],
  ])('refuses %s', async (text, at, problem) => {
    const document = await readConfigFile(join(project({ 'x.json': text }), 'x.json'), {})
    expect(document.problems).toEqual([{ at, problem }])
  })

  it.each([
    ['() => 3', 'workers', 'a function is not allowed; write a plain value'],
    ['10n', 'workers', 'a bigint is not allowed; write a plain value'],
    ['NaN', 'workers', 'NaN is not allowed; write a plain value'],
    ['/x/', 'watch', 'a RegExp is not allowed; write a plain value'],
    ['new Map()', 'env', 'a Map is not allowed; write a plain value'],
  ])('refuses %s in a program', async (value, key, problem) => {
    const directory = project({ 'x.config.mjs': `export default [{ script: 'app.js', ${key}: ${value} }]` })
    const document = await readConfigFile(join(directory, 'x.config.mjs'), {})
    expect(document.problems).toEqual([{ at: [0, key], problem }])
  })

  it('refuses a file that is missing', async () => {
    expect((await refusal(readConfigFile('/nowhere/x.json', {}))).toJSON()).toEqual({
      code: 'CONFIG_UNREADABLE',
      message: 'Cannot read config "/nowhere/x.json": ENOENT',
      fix: 'Check that the file exists and that this user may read it.',
      exitCode: 78,
      lines: [],
    })
  })

  it('refuses broken JSON, with the place', async () => {
    const directory = project({ 'x.json': '{\n  "script": "app.js"\n  "workers": 2\n}' })
    const error = await refusal(readConfigFile(join(directory, 'x.json'), {}))
    expect(error.message).toBe(`Cannot read config "${directory}/x.json": it is not valid JSON`)
    expect(error.lines).toEqual(["Expected ',' or '}' after property value in JSON at position 25 (line 3 column 3)"])
  })

  it('refuses broken YAML, with the place', async () => {
    const directory = project({ 'x.yaml': 'script: app.js\nscript: server.js\n' })
    const error = await refusal(readConfigFile(join(directory, 'x.yaml'), {}))
    expect(error.message).toBe(`Cannot read config "${directory}/x.yaml": it is not valid YAML`)
    expect(error.lines).toEqual([
      'Map keys must be unique at line 2, column 1:',
      '',
      'script: app.js',
      'script: server.js',
      '^',
    ])
  })
})

describe('placeOf()', () => {
  it('writes a path as JavaScript would', () => {
    expect(placeOf(['apps', 0, 'backoff', 'max'])).toBe('apps[0].backoff.max')
    expect(placeOf([1, 'name'])).toBe('[1].name')
    expect(placeOf([])).toBe('')
  })
})
