import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { parseProcessStat, readProcessStat, realUidOf } from '../../src/config/process-stat.ts'

describe('readProcessStat()', () => {
  it('tells a process from one that is not there', async () => {
    expect(Number(readProcessStat(process.pid)?.field(4))).toBe(process.ppid)
    expect(readProcessStat(process.pid)?.state).toMatch(/^[RSD]$/)
    const child = spawn('true')
    await once(child, 'exit')
    expect(readProcessStat(child.pid ?? 0)).toBeNull()
  })
})

it('realUidOf() tells who has started a process, and that there is none', () => {
  expect(realUidOf(process.pid)).toBe(process.getuid?.())
  expect(realUidOf(2 ** 30)).toBeNull()
})

describe('parseProcessStat()', () => {
  it('counts from behind the name, which may have brackets and spaces', () => {
    const rest = Array.from({ length: 30 }, (_, at) => String(at + 4)).join(' ')
    const stat = parseProcessStat(`42 (a) R (b c) S ${rest}`)
    expect([stat?.state, stat?.field(4), stat?.field(22), stat?.field(99)]).toEqual(['S', '4', '22', ''])
  })

  it.each(['', 'nonsense', '42 (node) S 7'])('is null for %j', (text) => {
    expect(parseProcessStat(text)).toBeNull()
  })
})
