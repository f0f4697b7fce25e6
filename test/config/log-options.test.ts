import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LogConfig } from '../../src/config/app-config.ts'
import { redactPaths } from '../../src/config/log-parsers.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { project, source } from './project.ts'

async function logOf(options: object, flags: Readonly<Record<string, string>> = {}) {
  const app = { name: 'web', script: 'app.js', log: options }
  const directory = project({ 'app.js': '', 'supervise.config.json': JSON.stringify(app) })
  const { log } = await readConfig(source(directory, { config: 'supervise.config.json', flags }))
  return { directory, log }
}

describe('the options of the log', () => {
  it('make a file with rotation by size, its path filled in', async () => {
    const { directory, log } = await logOf({ file: 'logs/{app}.log', maxSize: '1M', every: '1d', gzip: false })
    expect(log.file).toEqual({
      path: join(directory, 'logs/web.log'),
      maxSizeBytes: 1024 ** 2,
      everyMs: 86_400_000,
      keep: 10,
      maxTotalBytes: 1024 ** 3,
      gzip: false,
    })
  })

  it('take 0 for no limit, and not for the default', async () => {
    const { log } = await logOf({ file: 'a.log', maxSize: 0, maxTotal: '0' })
    expect(log.file).toMatchObject({ maxSizeBytes: 0, maxTotalBytes: 0 })
  })

  it('change nothing when they are left out', async () => {
    const log: LogConfig = { level: null, file: null, stdout: null, multiline: true, redact: [] }
    expect((await logOf({})).log).toEqual(log)
  })

  it('are refused where they are wrong, each with its place', async () => {
    await expect(logOf({ level: 'warning', keep: -1, redact: ['a..b'] })).rejects.toMatchObject({
      lines: [
        expect.stringContaining('log.level: "warning" is not allowed'),
        expect.stringContaining('log.keep: -1 is not allowed'),
        expect.stringContaining('log.redact: "a..b" is no path'),
      ],
    })
    await expect(logOf({ keep: 3 })).rejects.toMatchObject({
      lines: [expect.stringContaining('log.keep: does nothing without log.file')],
    })
    await expect(logOf({ maxSize: '1K', file: 'x' })).rejects.toMatchObject({
      lines: [expect.stringContaining('of at least "4K"')],
    })
  })
})

describe('redactPaths', () => {
  it.each(['a', 'a.b', 'data.*', 'a["b c"].d', 'a[0].b', '*.token', 'a[*].b'])('takes %s', (path) => {
    expect(redactPaths.parse(path, '/')).toEqual({ ok: true, value: [path] })
  })

  it.each(['', 'a..b', 'a,b', 'a[', 'a]', '.a', 'a.', 'a b'])('refuses "%s"', (path) => {
    expect(redactPaths.parse(path, '/').ok).toBe(false)
  })
})
