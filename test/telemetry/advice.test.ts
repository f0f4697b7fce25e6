import { describe, expect, it } from 'vitest'
import { adviceFor } from '../../src/telemetry/advice.ts'
import { NODES, runApp, type Files } from './failing-apps.ts'

const FAILURES: readonly (readonly [string, Files, RegExp])[] = [
  ['an enum', { 'a.ts': 'enum A { x }' }, /strips types and cannot transform a TypeScript enum: .*'--import', 'tsx'/],
  ['a namespace', { 'a.ts': 'namespace N { export const a = 1 }' }, /a TypeScript namespace: /],
  [
    'a parameter property',
    { 'a.ts': 'class A { constructor(private x: number) {} }' },
    /a TypeScript parameter property: /,
  ],
  ['a decorator', { 'a.ts': 'const d = (c: any) => c\n@d class A {}' }, /does not know decorators/],
  ['JSX', { 'a.tsx': 'const a = <div/>' }, /does not run \.tsx files/],
  ['imported JSX', { 'a.mjs': "import './b.tsx'", 'b.tsx': '' }, /does not run \.tsx files/],
  [
    'TypeScript in a package',
    { 'a.mjs': "import 'p'", 'node_modules/p/package.json': '{"main":"i.ts"}', 'node_modules/p/i.ts': 'let a: 1' },
    /compiled version/,
  ],
  ['a .js name for a .ts file', { 'a.ts': "import './b.js'", 'b.ts': '' }, /import it as \.ts/],
  ['a package that is not installed', { 'a.js': "require('nope')" }, /Run `npm ci`.*"nope"/],
  ['a file that is missing', { 'a.js': "require('./nope')" }, /Look whether "\.\/nope" is part of the release/],
  ['require() of top-level await', { 'a.js': "require('./b.mjs')", 'b.mjs': 'await 1' }, /await import\(\)/],
  ['require in an ES module', { 'a.mjs': "require('fs')" }, /rename it to \.cjs/],
  [
    'a port in use',
    {
      'a.js':
        "const net = require('net'); net.createServer().listen(0, function () { net.createServer().listen(this.address().port) })",
    },
    /ss -ltnp 'sport = :\d+'/,
  ],
  ['an await without end', { 'a.mjs': 'await new Promise(() => {})' }, /never ends/],
]

describe.each(NODES)('adviceFor() on %s', (node) => {
  it.concurrent.each(FAILURES)('helps with %s', async (_name, files, words) => {
    const { stderr, script } = await runApp(files, [], node)
    expect(adviceFor(stderr, script, 'v24.21.0')).toMatch(words)
  })

  it.concurrent('helps with an option that this Node does not know', async () => {
    const { stderr, script } = await runApp({ 'a.js': '' }, ['--no-such-option'], node)
    expect(adviceFor(stderr, script, 'v24.21.0')).toContain('does not know --no-such-option')
  })
})

describe('adviceFor()', () => {
  const ENUM = ['SyntaxError [ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX]: TypeScript enum is not supported in strip-only mode']
  const EXTENSION = ['TypeError [ERR_UNKNOWN_FILE_EXTENSION]: Unknown file extension ".ts" for /app/a.ts']

  it('offers --experimental-transform-types only to a Node that has it', () => {
    expect(adviceFor(ENUM, '/app/a.ts', 'v22.22.0')).toContain('--experimental-transform-types')
    expect(adviceFor(ENUM, '/app/a.ts', 'v24.21.0')).toContain('--experimental-transform-types')
    expect(adviceFor(ENUM, '/app/a.ts', 'v26.10.0')).not.toContain('--experimental-transform-types')
  })

  it('says which Node runs TypeScript, or where to look when this one does', () => {
    expect(adviceFor(EXTENSION, '/app/a.ts', 'v20.20.0')).toContain('22.18 and later do')
    expect(adviceFor(EXTENSION, '/app/a.ts', 'v24.21.0')).toContain('--no-strip-types')
  })

  it('helps with ERR_REQUIRE_ESM, imports outside a module, native builds and low ports', () => {
    expect(said('Error [ERR_REQUIRE_ESM]: require() of ES Module /x.mjs not supported')).toContain('await import()')
    expect(said('SyntaxError: Cannot use import statement outside a module')).toContain('"type": "module"')
    expect(said('using NODE_MODULE_VERSION 115. This version requires NODE_MODULE_VERSION 137')).toContain(
      'npm rebuild',
    )
    expect(said('Error: listen EACCES: permission denied 0.0.0.0:80')).toContain('below 1024')
    expect(said('FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory')).toContain(
      'maxMemory',
    )
  })

  it('is silent when it knows nothing', () => {
    expect(adviceFor(['Error: boom'], '/app/a.js', 'v24.21.0')).toBe(null)
    expect(adviceFor([], '/app/a.js', '')).toBe(null)
  })
})

function said(line: string): string | null {
  return adviceFor([line], '/app/a.js', 'v24.21.0')
}
