import { describe, expect, it } from 'vitest'
import { createLogger, dropNotice } from '../../src/telemetry/logger.ts'
import { Labels } from '../../src/telemetry/pretty.ts'

function logInto(format: 'json' | 'pretty', color = false) {
  const written: { text: string; own: boolean | undefined }[] = []
  const sink = { write: (text: string, own?: boolean) => void written.push({ text, own }) }
  const logger = createLogger({ format, sink, labels: new Labels(color) })
  return { logger, written, text: () => written.map((entry) => entry.text).join('') }
}

describe('createLogger()', () => {
  it("writes JSON with level, ISO time and fields, into the sink's own room", () => {
    const { logger, written } = logInto('json')
    logger.info({ app: 'web', group: 'blue', release: 'r1', worker: 2 }, 'worker 2 is ready')
    const { time, ...rest } = JSON.parse(written[0]?.text ?? '')
    expect(rest).toEqual({
      level: 'info',
      app: 'web',
      group: 'blue',
      release: 'r1',
      worker: 2,
      msg: 'worker 2 is ready',
    })
    expect(new Date(time).toISOString()).toBe(time)
    expect(written[0]?.own).toBe(true)
  })

  it('is readable: labels as wide as those of the apps, warnings and errors named, stacks below', () => {
    const { logger, text } = logInto('pretty')
    logger.warn({ app: 'web', worker: 2 }, 'crashed')
    logger.info('listens')
    logger.debug('not shown')
    const error = new Error('boom')
    error.stack = 'Error: boom\n    at x.js:1:1'
    logger.error({ err: error }, 'failed')
    expect(text()).toBe(
      [
        'web·2 * warning: crashed',
        'supervise * listens',
        'supervise * error: failed',
        'supervise * Error: boom',
        'supervise *     at x.js:1:1',
        '',
      ].join('\n'),
    )
  })

  it('has colours only when asked', () => {
    const plain = logInto('pretty')
    const colored = logInto('pretty', true)
    for (const { logger } of [plain, colored]) logger.error({ app: 'web' }, 'x')
    expect(plain.text()).not.toContain('\u001b')
    expect(colored.text()).toContain('\u001b[31merror:')
  })
})

describe('dropNotice()', () => {
  it('is a line of the log in either format', () => {
    const json = JSON.parse(dropNotice('json', new Labels(false))(3))
    expect(json).toMatchObject({
      level: 'warn',
      droppedLines: 3,
      msg: expect.stringContaining('3 log lines were dropped'),
    })
    expect(dropNotice('pretty', new Labels(false))(1)).toMatch(/^supervise \* warning: 1 log line was dropped.*\n$/)
  })
})
