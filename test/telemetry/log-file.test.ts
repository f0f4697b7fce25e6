import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { LogFile } from '../../src/telemetry/log-file.ts'
import type { RotationLimits } from '../../src/telemetry/rotation.ts'
import { until } from '../support/until.ts'

/** Who may mount a disk of a few kilobytes. */
const isRoot = process.getuid?.() === 0

const soon = (fact: () => boolean) => until(fact, 10_000, 'what the files should hold')

const directory = mkdtempSync(join(tmpdir(), 'log-file-'))
const open: LogFile[] = []
const NO_LIMITS: RotationLimits = { maxSizeBytes: 0, everyMs: 0, keep: 100, maxTotalBytes: 0, gzip: false }
let count = 0

function openFile(limits: Partial<RotationLimits> = {}, name = `case-${(count += 1)}/web.log`) {
  const path = join(directory, name)
  const told: string[] = []
  const file = new LogFile(
    path,
    { ...NO_LIMITS, ...limits },
    {
      onTrouble: (words) => told.push(words),
      onRecovery: (lines) => told.push(`well, ${lines} lost`),
      dropNotice: (lines) => `<${lines} dropped>\n`,
    },
  )
  open.push(file)
  const names = () => readdirSync(join(path, '..')).toSorted()
  return { path, file, told, names, text: () => readFileSync(path, 'utf8') }
}

/** A real one, until the test's end. */
function mountDisk(place: string, options: string): void {
  mkdirSync(place)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place])
  onTestFinished(() => void execFileSync('umount', ['-l', place]))
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((file) => file.close(2000)))
})

describe('LogFile', () => {
  it('makes its directory, and adds to what is there', async () => {
    const { path, file, text } = openFile()
    file.write('one\n')
    await soon(() => text() === 'one\n')
    await file.close(1000)
    expect(statSync(path).mode & 0o027).toBe(0)
    const again = openFile({}, path.slice(directory.length))
    again.file.write('two\n')
    await soon(() => again.text() === 'one\ntwo\n')
  })

  it.runIf(existsSync('/proc/self'))('does not hang where the system denies its directory', () => {
    // In a process of its own, since a call that never comes back would hold this one, too.
    const script = `
      import { LogFile } from ${JSON.stringify(new URL('../../src/telemetry/log-file.ts', import.meta.url).href)}
      const onTrouble = (words) => process.exit(console.log(words))
      const file = new LogFile('/proc/none/web.log', ${JSON.stringify(NO_LIMITS)}, { onTrouble, onRecovery: () => {}, dropNotice: String })
      file.write('line')`
    const options = { encoding: 'utf8', timeout: 20_000 } as const
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], options)
    expect({ stdout, signal }).toEqual({ stdout: expect.stringMatching(/ cannot be written: /), signal: null })
  })

  it('rotates between whole lines when it is large enough, losing none, and compresses', async () => {
    const { path, file, names } = openFile({ maxSizeBytes: 10_000, gzip: true })
    for (let line = 0; line < 2000; line += 1) {
      file.write(`line ${line}\n`)
      if (line % 100 === 0) await new Promise(setImmediate)
    }
    await soon(() => names().some((name) => name.endsWith('.gz')) && names().every((name) => /log$|gz$/.test(name)))
    await file.close(2000)
    const all = [...names().filter((name) => name !== 'web.log'), 'web.log'].map((name) => {
      const bytes = readFileSync(join(path, '..', name))
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    })
    expect(all.length).toBeGreaterThan(1)
    for (const text of all) expect(text === '' || text.endsWith('\n')).toBe(true)
    expect(all.join('')).toBe(Array.from({ length: 2000 }, (_, line) => `line ${line}\n`).join(''))
  })

  it('keeps so many files and bytes, and goes on with what an earlier supervisor left', async () => {
    const { path } = openFile()
    mkdirSync(join(path, '..'), { recursive: true })
    const left = [1, 2, 3].map((day) => `web.log.2026-11-0${day}T00-00-00.000Z`)
    for (const name of left) writeFileSync(join(path, '..', name), 'x'.repeat(1000))
    writeFileSync(join(path, '..', `${left[0]}.gz.tmp`), 'half')
    writeFileSync(join(path, '..', 'web.log.mine'), 'not ours')
    const { names } = openFile({ keep: 2, gzip: true }, path.slice(directory.length))
    await soon(() => names().length === 3 && names().filter((name) => name.endsWith('.gz')).length === 2)
    expect(names()).toEqual([`${left[1]}.gz`, `${left[2]}.gz`, 'web.log.mine'])
  })

  it('rotates a file of an earlier period', async () => {
    const { path } = openFile()
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, 'old\n')
    utimesSync(path, new Date('2026-11-01'), new Date('2026-11-01'))
    const { file, names, text } = openFile({ everyMs: 86_400_000 }, path.slice(directory.length))
    file.write('first\n')
    await soon(() => names().length === 2)
    file.write('second\n')
    await soon(() => text() === 'second\n')
  })

  it('goes on in a new file when its own was moved: told by reopen(), or found out', async () => {
    const { path, file, text } = openFile()
    file.write('one\n')
    await soon(() => text() === 'one\n')
    renameSync(path, `${path}.1`)
    await file.reopen()
    file.write('two\n')
    await soon(() => text() === 'two\n')
    rmSync(path)
    await soon(() => {
      file.write('three\n')
      return text().includes('three\n')
    })
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\n')
  })

  it('says once that it cannot write, keeps what fits, counts what does not, and goes on by itself', async () => {
    const { path, file, told, text } = openFile()
    mkdirSync(path, { recursive: true })
    for (let line = 0; line < 100; line += 1) file.write(`${line}\n`)
    await soon(() => told.length === 1)
    expect(told).toEqual([`${path} cannot be written: it is a directory`])
    expect(file.state.broken).toBe('EISDIR')
    const large = `${'x'.repeat(64 * 1024)}\n`
    for (let line = 0; line < 100; line += 1) file.write(large)
    const { droppedLines, waitingBytes } = file.state
    expect(droppedLines).toBeGreaterThan(0)
    expect(waitingBytes).toBeLessThan(5 * 1024 * 1024)
    rmSync(path, { recursive: true })
    await soon(() => told.length === 2)
    await soon(() => file.state.waitingBytes === 0)
    expect(told[1]).toBe(`well, ${droppedLines} lost`)
    expect(text().startsWith('0\n1\n2\n')).toBe(true)
    expect(text()).toContain(`<${droppedLines} dropped>\n`)
  })

  it.runIf(isRoot)('outlives a disk that is full, with its own rotated files as well', async () => {
    const { path, file, told, names } = openFile({ maxSizeBytes: 16 * 1024, gzip: true })
    const place = join(path, '..')
    mountDisk(place, 'size=256k')
    const filler = join(place, 'filler')
    writeFileSync(filler, Buffer.alloc(200 * 1024))
    for (let line = 0; line < 2000; line += 1) file.write(`${line} ${'x'.repeat(90)}\n`)
    await soon(() => told.length > 0)
    expect(told[0]).toBe(`${path} cannot be written: the disk is full`)
    rmSync(filler)
    await soon(() => file.state.waitingBytes === 0 && file.state.broken === null)
    await soon(() => names().every((name) => name === 'web.log' || name.endsWith('.gz')))
    expect(file.state.droppedLines).toBe(0)
    const rotated = names().filter((name) => name.endsWith('.gz'))
    const zipped = rotated.map((name) => gunzipSync(readFileSync(join(place, name))).toString())
    const lines = `${zipped.join('')}${readFileSync(path, 'utf8')}`.trimEnd().split('\n')
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 2000 }, (_, line) => line))
  })

  it.runIf(isRoot)('waits for a disk that is read-only', async () => {
    const { path, file, told, text } = openFile()
    const place = join(path, '..')
    mountDisk(place, 'size=256k,ro')
    file.write('one\n')
    await soon(() => told.length > 0)
    expect(told).toEqual([`${path} cannot be written: its file system is read-only`])
    execFileSync('mount', ['-o', 'remount,rw', place])
    await soon(() => told.length === 2)
    expect([text(), told[1]]).toEqual(['one\n', 'well, 0 lost'])
  })

  it('never moves what is no file, and waits for no reader of a FIFO', async () => {
    const { path, file, told, names } = openFile({ maxSizeBytes: 4096, everyMs: 1 })
    mkdirSync(join(path, '..'), { recursive: true })
    execFileSync('mkfifo', [path])
    for (let line = 0; line < 1000; line += 1) file.write(`line ${line}\n`)
    await soon(() => told.length === 1)
    expect(told).toEqual([`${path} cannot be written: it is a pipe that nobody reads`])
    const reader = spawn('cat', [path])
    let text = ''
    reader.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await soon(() => text.endsWith('line 999\n') && told.length === 2)
    expect(names()).toEqual(['web.log'])
    reader.kill()
  })

  it('says why it cannot be reopened, and writes the old one on', async () => {
    const { path, file } = openFile()
    file.write('one\n')
    await soon(() => statSync(path).size === 4)
    renameSync(path, `${path}.1`)
    mkdirSync(path)
    await expect(file.reopen()).rejects.toMatchObject({ code: 'EISDIR' })
    file.write('two\n')
    await soon(() => readFileSync(`${path}.1`, 'utf8') === 'one\ntwo\n')
  })
})
