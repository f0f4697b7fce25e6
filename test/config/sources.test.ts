import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findSources } from '../../src/config/sources.ts'
import type { TargetRequest } from '../../src/config/sources.ts'
import { project, refusal } from './project.ts'

function find(directory: string, target: string | null, more: Partial<TargetRequest> = {}) {
  return findSources({ target, flags: {}, directory, environment: {}, ...more })
}

const TWO = '{"instance":"shop","apps":[{"name":"web","script":"app.js"},{"script":"jobs/index.js"}]}'

describe('findSources()', () => {
  it('takes a script as typed, with its flags', async () => {
    const directory = project()
    expect(await find(directory, './app.js', { flags: { workers: '2' }, environment: { A: '1' } })).toEqual({
      instance: null,
      sources: [
        {
          file: null,
          app: null,
          flags: { script: join(directory, 'app.js'), workers: '2' },
          directory,
          environment: { A: '1' },
        },
      ],
    })
  })

  it('takes a config file, one source for each app', async () => {
    const directory = project({ 'conf/apps.json': TWO })
    const file = join(directory, 'conf/apps.json')
    expect(await find(directory, 'conf/apps.json', { flags: { slots: '4' } })).toEqual({
      instance: 'shop',
      sources: [
        { file, app: 'web', flags: { slots: '4' }, directory, environment: {} },
        { file, app: 'jobs', flags: { slots: '4' }, directory, environment: {} },
      ],
    })
  })

  it('takes the config file of a directory, here or elsewhere', async () => {
    const directory = project({ 'api/supervise.config.yaml': 'script: server.js' })
    const expected = { file: join(directory, 'api/supervise.config.yaml'), app: 'server' }
    expect((await find(directory, 'api')).sources).toMatchObject([expected])
    expect((await find(join(directory, 'api'), null)).sources).toMatchObject([expected])
  })

  it.each([
    ['the main of package.json', { 'package.json': '{"main":"lib/x.js"}', 'lib/x.js': '', 'index.js': '' }, 'lib/x.js'],
    ['an index when that main is not there', { 'package.json': '{"main":"lib/x.js"}', 'index.js': '' }, 'index.js'],
    ['a common name', { 'server.ts': '' }, 'server.ts'],
    ['a common name beside a broken package.json', { 'package.json': '{' }, 'app.js'],
  ])('without a config takes %s', async (_, files, script) => {
    const directory = project(files)
    expect((await find(directory, null)).sources).toMatchObject([
      { file: null, flags: { script: join(directory, script) } },
    ])
  })

  it('runs the main of another directory in that directory', async () => {
    const directory = project({ 'api/index.js': '' })
    const { sources } = await find(directory, 'api')
    expect(sources).toMatchObject([
      { directory, flags: { cwd: join(directory, 'api'), script: join(directory, 'api/index.js') } },
    ])
  })

  it('says what it looked for when nothing is there', async () => {
    const directory = project({ 'empty/readme.md': '' })
    const empty = join(directory, 'empty')
    expect((await refusal(find(empty, null))).toJSON()).toEqual({
      code: 'NOTHING_TO_START',
      message: `Cannot find anything to start in "${empty}": it has neither a config nor a script`,
      fix: 'Name the script: `supervise start app.js`. Or write a supervise.config.json with { "script": "app.js" }.',
      exitCode: 2,
      lines: [
        `a config: ${empty}/supervise.config.{ts, mts, mjs, js, cjs, json, yaml, yml}`,
        `the "main" of ${empty}/package.json`,
        'a script: index, server, app, main, as js, mjs, cjs, ts or mts',
      ],
    })
  })

  it.each([
    ['ap.js', 'Did you mean `supervise start app.js`?'],
    ['app', 'Did you mean `supervise start app.js`?'],
    ['shop', 'Name a script, a config file, or a directory that has one of them.'],
  ])('refuses %s, which is not there', async (target, fix) => {
    expect((await refusal(find(project(), target))).toJSON()).toEqual({
      code: 'TARGET_NOT_FOUND',
      message: `Cannot start "${target}": there is no such file or directory`,
      fix,
      exitCode: 2,
      lines: [],
    })
  })

  it('refuses two apps of one name', async () => {
    const directory = project({ 'x.json': '[\n{"script":"app.js"},\n{"script":"other/app.js"}\n]' })
    const error = await refusal(find(directory, 'x.json'))
    expect(error.lines).toEqual(['x.json:3: [1].name: "app" is the name of [0], too; give each app a name of its own'])
  })

  it.each<[string, Partial<TargetRequest>]>([
    ['--name', { flags: { name: 'x' } }],
    ['SUPERVISE_NAME', { environment: { SUPERVISE_NAME: 'x' } }],
    ['--script', { flags: { script: 'x.js' } }],
  ])('refuses %s for several apps', async (place, more) => {
    const directory = project({ 'x.json': TWO })
    expect((await refusal(find(directory, 'x.json', more))).toJSON()).toEqual({
      code: 'FLAG_FOR_ONE_APP',
      message: `Cannot use ${place} for several apps: config "${directory}/x.json" has "web", "jobs"`,
      fix: `Leave out ${place}, and write it into the config at the app that you mean.`,
      exitCode: 2,
      lines: [],
    })
  })
})
