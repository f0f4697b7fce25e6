import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModule } from '../../src/config/module-file.ts'
import { project, refusal } from './project.ts'

async function refusalOf(name: string, text: string, limitMs?: number) {
  const directory = project({ [name]: text })
  const error = await refusal(readModule(join(directory, name), {}, limitMs))
  const lines = error.lines.map((line) => line.replaceAll(directory, '<dir>'))
  return { message: error.message.replaceAll(directory, '<dir>'), lines, exitCode: error.exitCode }
}

describe('readModule()', () => {
  it('sees the environment of the source and nothing else, and runs where the file is', async () => {
    const text = 'export default { secret: process.env.SECRET, home: process.env.HOME ?? null, cwd: process.cwd() }'
    const directory = project({ 'x.config.mjs': text })
    const { value } = await readModule(join(directory, 'x.config.mjs'), { SECRET: 's' })
    expect(value).toEqual({ secret: 's', home: null, cwd: directory })
  })

  it('reads again what has changed, imports included', async () => {
    const directory = project({ 'x.config.mjs': "export { default } from './y.mjs'", 'y.mjs': 'export default 1' })
    expect((await readModule(join(directory, 'x.config.mjs'), {})).value).toBe(1)
    writeFileSync(join(directory, 'y.mjs'), 'export default 2')
    expect((await readModule(join(directory, 'x.config.mjs'), {})).value).toBe(2)
  })

  it('carries a config larger than a pipe', async () => {
    const directory = project({ 'x.config.mjs': "export default { env: { BIG: 'x'.repeat(3_000_000) } }" })
    const { value } = await readModule(join(directory, 'x.config.mjs'), {})
    expect(value).toEqual({ env: { BIG: 'x'.repeat(3_000_000) } })
  })

  it('refuses one that throws, with its own lines of the stack', async () => {
    const text = `function connect(): never {\n  throw new Error('no database')\n}\nexport default connect()`
    expect(await refusalOf('x.config.ts', text)).toEqual({
      message: 'Cannot evaluate config "<dir>/x.config.ts": it ended with an error',
      lines: [
        '<dir>/x.config.ts:2',
        "  throw new Error('no database')",
        '        ^',
        'Error: no database',
        '    at connect (<dir>/x.config.ts:2:9)',
        '    at <dir>/x.config.ts:4:16',
      ],
      exitCode: 78,
    })
  })

  it('refuses one that does not parse, with the place', async () => {
    const { lines } = await refusalOf('x.config.ts', 'const x: number = 3\nexport default { a: ( }')
    expect(lines.slice(0, 3)).toEqual(['<dir>/x.config.ts:2', 'const x: number = 3', 'export default { a: ( }'])
    expect(lines.at(-1)).toBe('SyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expression expected')
  })

  it('refuses one that imports what is not there', async () => {
    const { lines } = await refusalOf('x.config.mjs', "import './nope.js'\nexport default {}")
    expect(lines).toEqual([
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '<dir>/nope.js' imported from <dir>/x.config.mjs",
    ])
  })

  it('refuses one without a default export', async () => {
    expect(await refusalOf('x.config.mjs', 'export const config = {}')).toEqual({
      message: 'Cannot use config "<dir>/x.config.mjs": it has no default export',
      lines: [],
      exitCode: 78,
    })
  })

  it('refuses one that exits', async () => {
    expect((await refusalOf('x.config.mjs', 'process.exit(3)')).lines).toEqual(['It ended the process with code 3.'])
  })

  it('refuses one whose await never settles', async () => {
    const { lines } = await refusalOf('x.config.mjs', 'await new Promise(() => {})\nexport default {}')
    expect(lines).toEqual(['A top-level await never settles.'])
  })

  it('refuses one that does not end, after the limit, whatever it started', async () => {
    const text = `import { spawn } from 'node:child_process'
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 15_000)'], { stdio: 'inherit' })
      process.on('exit', () => child.kill())
      await new Promise((done) => setTimeout(done, 60_000))`
    const began = performance.now()
    expect(await refusalOf('x.config.mjs', text, 500)).toEqual({
      message: 'Cannot evaluate config "<dir>/x.config.mjs": it did not end within 500 ms',
      lines: [],
      exitCode: 78,
    })
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
