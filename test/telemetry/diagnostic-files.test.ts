import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiagnosticFiles, filesToDrop } from '../../src/telemetry/diagnostic-files.ts'

const limits = { reports: 2, snapshots: 1, bytes: 1000 }
const report = (second: number, bytes = 10) => ({ name: `report.20260101.0000${second}.7.0.001.json`, bytes })
const heap = (second: number, bytes = 10) => ({ name: `Heap.20260101.0000${second}.7.0.001.heapsnapshot`, bytes })
const names = (files: readonly { name: string }[]) => files.map(({ name }) => name)

describe('filesToDrop()', () => {
  it('keeps the newest of each kind', () => {
    const files = [report(10), heap(11), report(12), heap(13), report(14)]
    expect(filesToDrop(files, limits).toSorted()).toEqual(names([heap(11), report(10)]).toSorted())
  })

  it('keeps within the bytes, but always the newest, and nothing that is not Node’s', () => {
    expect(filesToDrop([report(10, 500), heap(11, 5000)], limits)).toEqual(names([report(10, 500)]))
    expect(filesToDrop([report(10, 900), report(11, 200)], limits)).toEqual(names([report(10)]))
    expect(filesToDrop([{ name: 'notes.txt', bytes: 10_000 }], limits)).toEqual([])
  })
})

it('DiagnosticFiles.claim() finds what one process left, once, and makes room', () => {
  const directory = join(mkdtempSync(join(tmpdir(), 'reports-')), 'reports')
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const files = new DiagnosticFiles(directory)
  expect(files.claim(7, 0)).toEqual({ report: null, snapshots: [] })
  mkdirSync(directory)
  const put = (name: string) => writeFileSync(join(directory, name), '{}')
  for (const { name } of [report(10), heap(11), heap(12)]) put(name)
  put('report.20260101.000013.77.0.001.json')
  expect(files.claim(7, 0)).toEqual({
    report: join(directory, report(10).name),
    snapshots: [join(directory, heap(11).name), join(directory, heap(12).name)],
  })
  expect(files.claim(7, 0)).toEqual({ report: null, snapshots: [] })
  for (let n = 10; n < 50; n += 1) put(`report.20260102.0000${n}.8.0.001.json`)
  files.claim(9, 0)
  expect(readdirSync(directory).filter((name) => name.startsWith('report'))).toHaveLength(20)
  expect(existsSync(join(directory, report(10).name))).toBe(false)
})

it('DiagnosticFiles.claim() leaves what an earlier process of the same pid has written', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reports-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const [old, own] = [join(directory, report(10).name), join(directory, report(20).name)]
  for (const [file, second] of [
    [old, 1000],
    [own, 2000],
  ] as const) {
    writeFileSync(file, '{}')
    utimesSync(file, second, second)
  }
  // A new supervisor, that has claimed none of them.
  expect(new DiagnosticFiles(directory).claim(7, 1_500_000).report).toBe(own)
  expect(new DiagnosticFiles(directory).claim(7, 3_000_000).report).toBeNull()
})

it('DiagnosticFiles.prune() keeps the limits without a crash', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reports-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (let n = 10; n < 40; n += 1) writeFileSync(join(directory, report(n).name), '{}')
  new DiagnosticFiles(directory).prune()
  expect(readdirSync(directory)).toHaveLength(20)
})
