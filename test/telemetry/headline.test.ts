import { describe, expect, it } from 'vitest'
import { headline } from '../../src/telemetry/headline.ts'
import { NODES, runApp, type Files } from './failing-apps.ts'

const FAILURES: readonly (readonly [string, Files, string])[] = [
  [
    'a missing module',
    { 'app.js': "\n\nconst a = require('./db.js')" },
    "Error: Cannot find module './db.js'   at app.js:3:11",
  ],
  [
    'a missing ES module',
    { 'app.mjs': "import './lib/db.js'" },
    "Error: Cannot find module './lib/db.js'   at app.mjs",
  ],
  [
    'a missing package',
    { 'lib/app.mjs': "import 'no-package'" },
    "Error: Cannot find package 'no-package'   at lib/app.mjs",
  ],
  ['a syntax error', { 'app.js': '\nconst a = ;' }, "SyntaxError: Unexpected token ';'   at app.js:2:11"],
  [
    'a missing export',
    { 'app.mjs': "import { b } from './b.mjs'", 'b.mjs': 'export const a = 1' },
    "SyntaxError: The requested module './b.mjs' does not provide an export named 'b'   at app.mjs:1:10",
  ],
  [
    'an uncaught error of its own',
    { 'app.js': "const f = () => {\n  throw new RangeError('too much')\n}\nf()" },
    'RangeError: too much   at app.js:2:9',
  ],
  [
    'an error inside a dependency',
    { 'app.js': "require('dep')()", 'node_modules/dep/index.js': "module.exports = () => { throw new Error('dep') }" },
    'Error: dep   at app.js:1:15',
  ],
  [
    'an error with a cause',
    { 'app.mjs': "throw Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'E_X' })" },
    'Error: outer   at app.mjs:1:21',
  ],
  ['a rejection', { 'app.js': "Promise.reject(new TypeError('no'))" }, 'TypeError: no   at app.js:1:16'],
  ['a rejection without an error', { 'app.js': "Promise.reject('just text')" }, 'Unhandled rejection: just text'],
  ['a thrown string', { 'app.js': "throw 'just text'" }, 'just text   at app.js:1:1'],
  [
    'an address that cannot be had',
    { 'app.js': "const { createServer } = require('net')\ncreateServer().listen('/nonexistent/sock')" },
    'Error: listen EACCES: permission denied /nonexistent/sock   at app.js:2:16',
  ],
  [
    'TypeScript that Node cannot strip',
    { 'app.ts': 'enum Color {\n  red,\n}\nconsole.log(Color.red)' },
    'SyntaxError: TypeScript enum is not supported in strip-only mode   at app.ts:1:1',
  ],
  [
    'an error that the app prints itself before it leaves',
    { 'app.js': "try { null.x } catch (error) { console.error('boot failed:', error); process.exit(1) }" },
    "boot failed: TypeError: Cannot read properties of null (reading 'x')   at app.js:1:12",
  ],
  [
    'a logger that writes JSON',
    {
      'app.js':
        "console.error(JSON.stringify({ level: 60, err: { message: 'no database' }, msg: 'fatal' })); process.exit(1)",
    },
    'no database',
  ],
  [
    'plain last words',
    { 'app.js': "console.error('Set DATABASE_URL first'); process.exit(1)" },
    'Set DATABASE_URL first',
  ],
  ['nothing at all', { 'app.js': 'process.exit(1)' }, 'null'],
]

describe.each(NODES)('headline() of %s', (node) => {
  it.concurrent.each(FAILURES)('shows %s', async (_name, files, words) => {
    const { stderr, directory } = await runApp(files, [], node)
    expect(String(headline(stderr, directory))).toBe(words)
  })
})

describe('headline()', () => {
  it('finds the first line of a stack, also of an error with another name and a message of several lines', () => {
    const frames = ['    at node:internal/x:1:1', '    at f (/app/a.js:3:4)']
    expect(headline(['Error: boom', ...frames], '/app')).toBe('Error: boom   at a.js:3:4')
    expect(headline(['noise', 'Timeout: too slow', ...frames], '/app')).toBe('Timeout: too slow   at a.js:3:4')
    expect(headline(['TypeError: one', 'two', ...frames], '/app')).toBe('TypeError: one   at a.js:3:4')
  })

  it('cuts what is too long to be a line', () => {
    expect(headline(['x'.repeat(5000)])?.length).toBe(300)
  })

  it('never ends in an exception, whatever it is given', () => {
    for (const text of ['', '^', '{', '{}', '    at ', 'Error', '/x:1\n^\n', '----- Native stack trace -----\n x']) {
      expect(() => headline(text.split('\n'))).not.toThrow()
    }
  })
})
