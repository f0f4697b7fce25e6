import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fileOutlet, type Outlet } from '../../src/telemetry/outlet.ts'
import { Sink } from '../../src/telemetry/sink.ts'

/** An outlet that does what the test says next. */
function scriptedOutlet() {
  const written: Buffer[] = []
  const answers: (string | number)[] = []
  let pending: (() => void) | null = null
  let isHeld = false
  const outlet: Outlet = {
    write(bytes, done) {
      const answer = answers.shift() ?? bytes.length
      const reply = () => {
        if (typeof answer === 'string') return done(answer, 0)
        written.push(Buffer.from(bytes.subarray(0, answer)))
        return done(null, answer)
      }
      if (isHeld) pending = reply
      else setImmediate(reply)
    },
    close() {},
  }
  const hold = () => {
    isHeld = true
  }
  const release = () => {
    isHeld = false
    pending?.()
    pending = null
  }
  return { outlet, answers, hold, release, text: () => Buffer.concat(written).toString() }
}

describe('Sink', () => {
  it('writes lines in order, whatever part of them the outlet takes at a time', async () => {
    const { outlet, answers, text } = scriptedOutlet()
    answers.push(3, 'EAGAIN', 'EAGAIN', 1)
    const sink = new Sink({ outlet })
    for (let line = 0; line < 1000; line += 1) sink.write(`line ${line} é\n`)
    expect(await sink.flush(5000)).toBe(true)
    const bytes = Array.from({ length: 1000 }, (_, line) => `line ${line} é\n`).join('')
    expect(text()).toBe(bytes)
    expect(sink.state).toEqual({ waitingBytes: 0, droppedLines: 0, broken: null })
  })

  it('S14: drops whole lines beyond its limit, says once how many, and goes on', async () => {
    const { outlet, hold, release, text } = scriptedOutlet()
    const sink = new Sink({ outlet, maxWaitingBytes: 1000, dropNotice: (lines) => `<${lines} dropped>\n` })
    hold()
    for (let line = 0; line < 100; line += 1) sink.write(`a ${String(line).padStart(97, '0')}\n`)
    await vi.waitFor(() => expect(sink.state.waitingBytes).toBeLessThanOrEqual(1000))
    expect(sink.state.droppedLines).toBe(90)
    release()
    await vi.waitFor(() => expect(text()).toContain('<90 dropped>\n'))
    sink.write('later\n')
    expect(await sink.flush(5000)).toBe(true)
    const lines = text().trimEnd().split('\n')
    expect(lines.length).toBe(12)
    expect(lines.slice(10)).toEqual(['<90 dropped>', 'later'])
    expect(lines[9]).toBe(`a ${'9'.padStart(97, '0')}`)
  })

  it('flush() says how many lines were dropped, when that was not said yet', async () => {
    const { outlet, hold, release, text } = scriptedOutlet()
    const sink = new Sink({ outlet, maxWaitingBytes: 10, dropNotice: (lines) => `<${lines} dropped>\n` })
    hold()
    sink.write('kept line\n')
    sink.write('lost line\n')
    const flushed = sink.flush(5000)
    await new Promise(setImmediate)
    release()
    expect(await flushed).toBe(true)
    expect(text()).toBe('kept line\n<1 dropped>\n')
  })

  it("S14: has room for the supervisor's own lines when the apps' lines are dropped", async () => {
    const { outlet, hold, release, text } = scriptedOutlet()
    const sink = new Sink({ outlet, maxWaitingBytes: 100 })
    hold()
    sink.write(`${'x'.repeat(99)}\n`)
    sink.write('lost\n')
    sink.write('own line\n', true)
    release()
    await sink.flush(5000)
    expect(text()).toContain('own line\n')
    expect(text()).not.toContain('lost\n')
  })

  it('drops and counts while the reader is gone, tries again after a while, and then says how many', async () => {
    const { outlet, answers, text } = scriptedOutlet()
    answers.push(4, 'EPIPE')
    const sink = new Sink({ outlet, dropNotice: (lines) => `<${lines} dropped>\n` })
    sink.write('one\ntwo\nthree\n')
    expect(await sink.flush(1000)).toBe(false)
    expect(sink.state).toEqual({ waitingBytes: 0, droppedLines: 2, broken: 'EPIPE' })
    sink.write('four\n')
    expect(sink.state.droppedLines).toBe(3)
    await vi.waitFor(
      () => {
        sink.write('five\n')
        expect(sink.state.broken).toBe(null)
      },
      { timeout: 5000, interval: 50 },
    )
    expect(text()).toMatch(/^one\n<\d+ dropped>\nfive\n$/)
  })

  it('counts the lines of a notice that was lost itself again', async () => {
    const { outlet, answers, text } = scriptedOutlet()
    answers.push('EPIPE', 'EPIPE')
    const sink = new Sink({ outlet, dropNotice: (lines) => `<${lines} dropped>\n` })
    let written = 0
    const write = () => {
      sink.write('line\n')
      written += 1
    }
    write()
    await vi.waitFor(
      () => {
        write()
        expect(answers.length).toBe(0)
      },
      { timeout: 5000, interval: 100 },
    )
    await vi.waitFor(
      () => {
        write()
        expect(sink.state.broken).toBe(null)
      },
      { timeout: 5000, interval: 100 },
    )
    await sink.flush(1000)
    const passed = text().match(/^line$/gm)?.length ?? 0
    expect(text()).toContain(`<${written - passed} dropped>\n`)
    expect(sink.state.droppedLines).toBe(written - passed)
  })

  it('begins a new line after a write that broke off within one', async () => {
    const { outlet, answers, text } = scriptedOutlet()
    answers.push(2, 'ENOSPC')
    const sink = new Sink({ outlet, dropNotice: () => '' })
    sink.write('one\n')
    await sink.flush(1000)
    await vi.waitFor(
      () => {
        sink.write('two\n')
        expect(sink.state.broken).toBe(null)
      },
      { timeout: 5000, interval: 50 },
    )
    await sink.flush(1000)
    expect(text()).toMatch(/^on\n(two\n)+$/)
  })

  it('flush() gives up at its deadline', async () => {
    const { outlet, hold } = scriptedOutlet()
    const sink = new Sink({ outlet })
    hold()
    sink.write('stuck\n')
    const before = performance.now()
    expect(await sink.flush(50)).toBe(false)
    expect(performance.now() - before).toBeLessThan(2000)
  })
})

describe('Sink on a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sink-'))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('reopen() moves to the new file between two lines, and loses none', async () => {
    const path = join(directory, 'log')
    const sink = new Sink({ outlet: fileOutlet(path), openAgain: () => fileOutlet(path) })
    const writeLines = (from: number) => {
      for (let line = from; line < from + 10_000; line += 1) sink.write(`${line}\n`)
    }
    writeLines(0)
    await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(0))
    renameSync(path, `${path}.1`)
    const reopened = sink.reopen()
    writeLines(10_000)
    await reopened
    writeLines(20_000)
    expect(await sink.flush(5000)).toBe(true)
    const [old, current] = [`${path}.1`, path].map((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
    expect([...old!, ...current!].map(Number)).toEqual(Array.from({ length: 30_000 }, (_, line) => line))
    expect(current!.length).toBeGreaterThanOrEqual(10_000)
  })

  it('reopen() rejects and writes on into the old file when the new one cannot be opened', async () => {
    const { outlet, text } = scriptedOutlet()
    const sink = new Sink({ outlet, openAgain: () => fileOutlet(join(directory, 'no', 'such')) })
    await expect(sink.reopen()).rejects.toThrow('ENOENT')
    sink.write('still here\n')
    await sink.flush(1000)
    expect(text()).toBe('still here\n')
  })
})

/** Writes many lines to its stdout through a sink and reports on stderr: what became of them, and its longest stall. */
const WRITER = `
import { standardOutlet } from ${source('outlet')}
import { Sink } from ${source('sink')}
const sink = new Sink({ outlet: standardOutlet(1, () => process.stdout) })
const total = Number(process.argv[1])
let stall = 0, last = performance.now()
setInterval(() => { stall = Math.max(stall, performance.now() - last); last = performance.now() }, 5).unref()
let line = 0
function more() {
  for (let n = 0; n < 1000 && line < total; n++, line++) sink.write('line ' + line + ' ' + 'x'.repeat(80) + '\\n')
  if (line < total) return setImmediate(more)
  sink.flush(Number(process.argv[2] ?? 5000)).then((flushed) => {
    const { broken, droppedLines } = sink.state
    console.error(JSON.stringify({ flushed, broken, droppedLines, stall, rss: process.memoryUsage.rss() }))
    process.exit(0)
  })
}
more()
`

function source(name: string): string {
  return JSON.stringify(new URL(`../../src/telemetry/${name}.ts`, import.meta.url).href)
}

interface Report {
  readonly flushed: boolean
  readonly broken: string | null
  readonly droppedLines: number
  readonly stall: number
}

const WRITE = ['--input-type=module', '-e', WRITER]

/** What the writer said at its end. */
async function reportOf(child: ChildProcess): Promise<Report> {
  let said = ''
  child.stderr!.on('data', (chunk) => (said += chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return JSON.parse(said.trim().split('\n').at(-1) ?? '')
}

describe('standardOutlet()', () => {
  it.each([
    ['a pipe', `(echo before; "$0" "$@"; echo after) | cat`],
    ['a file', `f=$(mktemp); (echo before; "$0" "$@"; echo after) > $f; cat $f; rm $f`],
    ['a file that is added to', `f=$(mktemp); echo before > $f; ("$0" "$@"; echo after) >> $f; cat $f; rm $f`],
  ])('writes every line to %s', async (_name, command) => {
    const child = spawn('sh', ['-c', command, process.execPath, ...WRITE, '20000'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [text, report] = await Promise.all([textOf(child), reportOf(child)])
    expect([text.slice(0, 7), text.slice(-6)]).toEqual(['before\n', 'after\n'])
    expect(numbersIn(text)).toEqual(Array.from({ length: 20_000 }, (_, line) => line))
    expect(report).toMatchObject({ flushed: true, droppedLines: 0 })
  })

  it('writes every line to a socket, as journald gives one', async () => {
    const child = spawn(process.execPath, [...WRITE, '20000'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [text, report] = await Promise.all([textOf(child), reportOf(child)])
    expect(numbersIn(text).length).toBe(20_000)
    expect(report).toMatchObject({ flushed: true, droppedLines: 0 })
  })

  it('writes every line to a terminal', async () => {
    const command = `${quote(process.execPath)} ${WRITE.map(quote).join(' ')} 2000 2>/dev/null`
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] })
    expect(numbersIn(await textOf(child)).length).toBe(2000)
  })

  it('never blocks the loop nor the exit when nobody reads', async () => {
    const held = spawn(process.execPath, ['-e', READS_NOTHING, '--', ...WRITE, '300000', '200'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const report = await reportOf(held)
    expect(report.flushed).toBe(false)
    expect(report.droppedLines).toBeGreaterThan(100_000)
    // Blocked, it would stand still until its reader ends, which is never; a busy machine makes it stand still for less.
    expect(report.stall).toBeLessThan(3000)
  })

  it('drops, counts and goes on when its reader leaves', async () => {
    const child = spawn('sh', ['-c', `"$0" "$@" | head -1`, process.execPath, ...WRITE, '50000'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [text, report] = await Promise.all([textOf(child), reportOf(child)])
    expect(numbersIn(text)).toEqual([0])
    expect(report).toMatchObject({ flushed: false, broken: 'EPIPE' })
    expect(report.droppedLines).toBeGreaterThan(40_000)
  })
})

/** Starts the writer on a FIFO that it holds open and never reads. */
const READS_NOTHING = `
const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const directory = fs.mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'sink-'))
execFileSync('mkfifo', [directory + '/f'])
const held = fs.openSync(directory + '/f', 'r+')
spawn(process.execPath, process.argv.slice(1), { stdio: ['ignore', held, 'inherit'] }).on('exit', () => {
  fs.rmSync(directory, { recursive: true })
})
`

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

async function textOf(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = []
  child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return Buffer.concat(chunks).toString()
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/^line (\d+) x{80}\r?$/gm)].map((match) => Number(match[1]))
}
