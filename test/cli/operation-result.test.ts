import { describe, expect, it } from 'vitest'
import { renderResult } from '../../src/cli/operation-result.ts'
import { plain } from '../../src/cli/paint.ts'
import type { OperationResult } from '../../src/control/messages.ts'
import { EXIT } from '../../src/errors.ts'

const done: OperationResult = {
  app: 'web',
  kind: 'reload',
  ok: true,
  text: '4 of 4 workers serve r13',
  tookMs: 4_210,
  workers: 4,
  generation: 2,
  requestsCut: 0,
  steps: [],
  error: null,
}

describe('renderResult()', () => {
  it('says in one line what is so now', () => {
    expect(renderResult(done, '', plain)).toEqual(['✓ web: 4 of 4 workers serve r13 (4.2s)'])
  })

  it('counts the requests that a success cut', () => {
    expect(renderResult({ ...done, requestsCut: 1 }, '', plain)).toEqual([
      '✓ web: 4 of 4 workers serve r13, 1 request cut (4.2s)',
    ])
  })

  it('does not name the app twice', () => {
    expect(renderResult({ ...done, text: 'web serves r13' }, '', plain)).toEqual(['✓ web serves r13 (4.2s)'])
  })

  it('says why it failed, what serves now and what to type', () => {
    const error = {
      code: 'WORKER_NOT_READY',
      message: 'Cannot reload "web": worker 3 exited with code 1 after 0.2s',
      fix: 'Repair it and reload again.',
      exitCode: EXIT.rolloutFailed,
      lines: ["Error: Cannot find module './db.js'", '    at app.js:3:10'],
    }
    const failed = { ...done, ok: false, text: 'Still serving r12: 4 of 4 workers', error }
    expect(renderResult(failed, 'supervise reload web', plain).join('\n')).toMatchInlineSnapshot(`
      "✗ Cannot reload "web": worker 3 exited with code 1 after 0.2s  [WORKER_NOT_READY]
          Error: Cannot find module './db.js'
              at app.js:3:10
        Still serving r12: 4 of 4 workers
        Try: Repair it and reload again.
        Logs: supervise logs web      Again: supervise reload web      (exit 5)"
    `)
  })

  it('does not have that typed again which was wrong', () => {
    const error = {
      code: 'X',
      message: 'Cannot deploy "web" from "/x": no',
      fix: 'Name it.',
      exitCode: EXIT.usage,
      lines: [],
    }
    const lines = renderResult({ ...done, ok: false, text: error.message, error }, 'supervise deploy web /x', plain)
    expect(lines).toEqual(['✗ Cannot deploy "web" from "/x": no  [X]', '  Try: Name it.', '  (exit 2)'])
  })
})
