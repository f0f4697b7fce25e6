import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, linkSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NODES } from './failing-apps.ts'
import { createOutput, reopenOutput, type OutputStream, type WorkerOutput } from '../../src/telemetry/worker-output.ts'

let directory: string
let children: ChildProcess[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'output-'))
  children = []
})

afterEach(async () => {
  await Promise.all(children.map(end))
  rmSync(directory, { recursive: true, force: true })
})

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

function start(output: WorkerOutput, code: string, node = process.execPath): ChildProcess {
  const child = spawn(node, ['-e', code, directory], { stdio: ['ignore', ...output.childStdio] })
  children.push(child)
  return child
}

/** Collects what is read, and tells the end. */
function listen(output: WorkerOutput) {
  const lines: string[] = []
  output.onLine = (stream: OutputStream, text: string) => void lines.push(`${stream} ${text}`)
  const ended = new Promise<void>((resolve) => {
    output.onEnd = resolve
  })
  return { lines, ended }
}

/** Stops reading as a supervisor does that dies: the FIFOs stay. */
async function leave(output: WorkerOutput): Promise<void> {
  const names = readdirSync(directory).filter((name) => /\.(out|err)$/.test(name))
  for (const name of names) linkSync(join(directory, name), join(directory, `${name}.kept`))
  const ended = new Promise<void>((resolve) => {
    output.onEnd = resolve
  })
  output.close()
  await ended
  for (const name of names) renameSync(join(directory, `${name}.kept`), join(directory, name))
}

/** Another reader, which goes on with what was begun. */
function readOn(rests: readonly string[], lines: string[]): WorkerOutput {
  const output = reopenOutput(directory, 'a1', process.pid)
  output.onLine = (stream: OutputStream, text: string) => void lines.push(`${stream} ${text}`)
  output.begin()
  output.goOn(rests)
  return output
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}

describe.each(NODES)('WorkerOutput with a worker on %s', (node) => {
  it('gives every line of both streams, ends when the worker does, and leaves nothing behind', async () => {
    const before = openFiles()
    const output = await createOutput(directory, 'a1')
    expect([output.kind, output.notice]).toEqual(['fifo', null])
    const modes = ['a1.out', 'a1.err'].map((name) => statSync(join(directory, name)).mode & 0o7777)
    expect(modes).toEqual([0o600, 0o600])

    const { lines, ended } = listen(output)
    const code = `for (let n = 0; n < 3; n++) console.log('out', n); console.error('err'); process.stdout.write('no newline')`
    output.begin(start(output, code, node))
    await ended

    expect(lines.filter((line) => line.startsWith('stdout'))).toEqual([
      'stdout out 0',
      'stdout out 1',
      'stdout out 2',
      'stdout no newline',
    ])
    expect(lines.filter((line) => line.startsWith('stderr'))).toEqual(['stderr err'])
    expect(readdirSync(directory)).toEqual([])
    await vi.waitFor(() => expect(openFiles()).toBe(before))
  })

  it('gives the last words of a worker that dies of an error', async () => {
    const output = await createOutput(directory, 'a1')
    const { lines, ended } = listen(output)
    output.begin(start(output, `throw new Error('last words')`, node))
    await ended
    expect(lines).toContain('stderr Error: last words')
  })

  it.each([
    ['console.log', `console.log('line ' + n)`],
    ['process.stdout.write', `process.stdout.write('line ' + n + '\\n')`],
    ['fs.writeSync', `fs.writeSync(1, 'line ' + n + '\\n')`],
  ])('S1: a worker that uses %s outlives its reader, and the next reader gets every line', async (_name, write) => {
    const output = await createOutput(directory, 'a1')
    const { lines } = listen(output)
    const code = `const fs = require('node:fs'); const go = process.argv[1] + '/go'; let n = 0
      const times = (until) => { while (n < until) { ${write}; n++ } }
      times(100)
      const timer = setInterval(() => { if (!fs.existsSync(go)) return; clearInterval(timer); times(2000); fs.writeFileSync(go + 'ne', '') }, 5)
      setInterval(() => {}, 1000)`
    const child = start(output, code, node)
    output.begin(child)
    await vi.waitFor(() => expect(lines.length).toBe(100), { timeout: 5000 })

    await leave(output)
    writeFileSync(join(directory, 'go'), '')
    await vi.waitFor(() => expect(existsSync(join(directory, 'gone'))).toBe(true), { timeout: 5000 })

    const again = reopenOutput(directory, 'a1', process.pid)
    const later = listen(again)
    again.begin()
    await vi.waitFor(() => expect(lines.length + later.lines.length).toBe(2000), { timeout: 5000 })
    expect([...lines, ...later.lines]).toEqual(Array.from({ length: 2000 }, (_, n) => `stdout line ${n}`))
    expect(child.exitCode).toBe(null)
    child.kill('SIGKILL')
    await later.ended
    expect(readdirSync(directory).filter((name) => name.startsWith('a1'))).toEqual([])
  })

  it('two readers that take turns have every line once, whole and in order, and the files are the last one’s (S7)', async () => {
    const before = openFiles()
    const first = await createOutput(directory, 'a1')
    const { lines } = listen(first)
    const code = `let n = 0; const timer = setInterval(() => { let text = ''
      for (let i = 0; i < 40; i++) text += n++ + '.'.repeat(n % 900) + '\\n'
      process.stdout.write(text); if (n >= 4000) clearInterval(timer) }, 2)`
    const child = start(first, code, node)
    first.begin(child)
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(400), { timeout: 5000 })
    const second = readOn(first.standStill(), lines)
    await setTimeout(60)
    // It is the first one's turn again, as after an upgrade that was refused.
    first.goOn(second.standStill())
    second.letGo()
    await setTimeout(60)
    const third = readOn(first.standStill(), lines)
    first.letGo()
    const over = new Promise<void>((resolve) => (third.onEnd = resolve))
    await over
    expect(lines.map((line) => Number(/^stdout (\d+)\.*$/.exec(line)?.[1]))).toEqual(
      Array.from({ length: 4000 }, (_, n) => n),
    )
    expect(readdirSync(directory)).toEqual([])
    await vi.waitFor(() => expect(openFiles()).toBe(before))
  })

  it('stops waiting for a process that keeps the output open, also when it stood still meanwhile (S7)', async () => {
    const output = await createOutput(directory, 'a1')
    const { lines, ended } = listen(output)
    const keeper = `require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' })`
    const child = start(output, `console.log(String(${keeper}.pid)); setInterval(() => {}, 1000)`, node)
    output.begin(child)
    await vi.waitFor(() => expect(lines.length).toBe(1), { timeout: 5000 })
    child.kill('SIGKILL')
    output.endSoon(100)
    const rests = output.standStill()
    await setTimeout(200)
    output.goOn(rests)
    await ended
    process.kill(Number(/\d+/.exec(lines[0] ?? '')?.[0]), 'SIGKILL')
  })

  it('a worker that logs more than a pipe holds does not block while nobody reads, and loses nothing', async () => {
    const output = await createOutput(directory, 'a1')
    const code = `const fs = require('node:fs'); for (let n = 0; n < 3000; n++) console.log(String(n).padStart(200, '.'))
      setTimeout(() => fs.writeFileSync(process.argv[1] + '/went-on', ''), 20); setInterval(() => {}, 1000)`
    const child = start(output, code, node)
    output.begin(child)
    await leave(output)
    await vi.waitFor(() => expect(existsSync(join(directory, 'went-on'))).toBe(true), { timeout: 5000 })
    const again = reopenOutput(directory, 'a1', process.pid)
    const { lines } = listen(again)
    again.begin()
    await vi.waitFor(() => expect(lines.length).toBe(3000), { timeout: 5000 })
    expect(lines.map((line) => Number(line.replace(/^stdout \.*/, '')))).toEqual(
      Array.from({ length: 3000 }, (_, n) => n),
    )
    again.close()
  })

  it('an app may open /dev/stdout by its name', async () => {
    const output = await createOutput(directory, 'a1')
    const { lines, ended } = listen(output)
    output.begin(start(output, `require('node:fs').appendFileSync('/dev/stdout', 'by name\\n')`, node))
    await ended
    expect(lines).toEqual(['stdout by name'])
  })
})

describe('WorkerOutput', () => {
  it('endSoon() does not wait for a grandchild that holds the output, and gives all that is in it', async () => {
    const output = await createOutput(directory, 'a1')
    const { lines, ended } = listen(output)
    const code = `const sleeper = require('node:child_process').spawn('sleep', ['30'], { stdio: 'inherit' })
      sleeper.on('spawn', () => { console.log(sleeper.pid); console.log('bye'); process.exit(3) })`
    const child = start(output, code)
    output.begin(child)
    await new Promise((resolve) => child.once('exit', resolve))
    output.endSoon(50)
    await ended
    expect(lines.at(-1)).toBe('stdout bye')
    process.kill(Number(lines[0]?.replace('stdout ', '')), 'SIGKILL')
    expect(readdirSync(directory)).toEqual([])
  })

  it('close() before begin() is the way back from a fork that failed: no file and no descriptor stays', async () => {
    const before = openFiles()
    const output = await createOutput(directory, 'a1')
    const { ended } = listen(output)
    output.close()
    await ended
    expect([openFiles(), readdirSync(directory)]).toEqual([before, []])
  })

  it('reopenOutput() ends at once when the worker is gone, or its files are', async () => {
    const output = await createOutput(directory, 'a1')
    const child = start(output, '')
    output.begin(child)
    await leave(output)
    await end(child)
    const again = reopenOutput(directory, 'a1', process.pid)
    const { lines, ended } = listen(again)
    again.begin()
    await ended
    expect([lines, readdirSync(directory)]).toEqual([[], []])

    const missing = reopenOutput(directory, 'a1', process.pid)
    const gone = listen(missing)
    missing.begin()
    await gone.ended
    expect(missing.notice).toContain('a1.out')
  })

  it('reopenOutput() reads on from the process itself where somebody has deleted the files (S4)', async () => {
    const output = await createOutput(directory, 'a1')
    const code = `const fs = require('node:fs'); const go = process.argv[1] + '/go'
      const timer = setInterval(() => { if (!fs.existsSync(go)) return; clearInterval(timer); console.log('still'); console.error('here') }, 5)`
    const child = start(output, code)
    output.begin(child)
    const first = listen(output)
    output.close()
    await first.ended
    expect(readdirSync(directory)).toEqual([])
    const again = reopenOutput(directory, 'a1', child.pid ?? 0)
    const { lines, ended } = listen(again)
    again.begin()
    writeFileSync(join(directory, 'go'), '')
    await ended
    expect(again.notice).toBeNull()
    expect(lines.toSorted()).toEqual(['stderr here', 'stdout still'])
  })

  it('falls back to plain pipes where there is no mkfifo, and says so', async () => {
    vi.stubEnv('PATH', '/nonexistent')
    const output = await createOutput(directory, 'a1')
    vi.unstubAllEnvs()
    expect(output.kind).toBe('pipe')
    expect(output.notice).toContain('mkfifo')
    const { lines, ended } = listen(output)
    output.begin(start(output, `console.log('one'); console.error('two')`))
    await ended
    expect(lines.toSorted()).toEqual(['stderr two', 'stdout one'])
  })
})

describe('a flood', () => {
  /** Reads a worker's output into a sink that a slow reader empties; reports what became of it. */
  const SUPERVISOR = `
    const [directory, megabytes, telemetry] = process.argv.slice(1)
    const { createOutput } = await import(telemetry + 'worker-output.ts')
    const { Sink } = await import(telemetry + 'sink.ts')
    const { appLineFormat } = await import(telemetry + 'app-lines.ts')
    const { Labels } = await import(telemetry + 'pretty.ts')
    const { spawn } = await import('node:child_process')
    let written = ''
    let count = 0, own = 0, notices = 0, toldOf = 0
    const outlet = { close() {}, write(bytes, done) {
      for (const line of bytes.toString().split('\\n')) {
        if (line.startsWith('{')) count++
        if (line.startsWith('own')) own++
        const told = line.match(/^(\\d+) log lines were dropped/)
        if (told) { notices++; toldOf += Number(told[1]) }
      }
      setTimeout(done, 20, null, bytes.length)
    } }
    const sink = new Sink({ outlet })
    const format = appLineFormat('json', new Labels(false))
    const output = await createOutput(directory, 'a1')
    let read = 0, peak = 0, stall = 0, last = performance.now()
    setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); stall = Math.max(stall, performance.now() - last); last = performance.now(); sink.write('own line\\n', true) }, 20)
    output.onLine = (stream, line) => {
      read++
      sink.write(format({ time: '', app: 'web', group: 'blue', release: 'r1', worker: 1, pid: 1, stream, line }))
    }
    output.onEnd = async () => {
      const flushed = await sink.flush(60_000)
      console.log(JSON.stringify({ read, count, own, notices, toldOf, dropped: sink.state.droppedLines, peak, stall, flushed }))
      process.exit(0)
    }
    const code = 'const fs = require("node:fs"); const lines = ("y".repeat(99) + "\\\\n").repeat(10000); for (let n = 0; n < ' + megabytes + '; n++) fs.writeSync(1, lines)'
    output.begin(spawn(process.execPath, ['-e', code], { stdio: ['ignore', ...output.childStdio] }))
  `

  it('S14: while the sink is slow, memory is bounded, the loop goes on, and every line is written or counted', async () => {
    const megabytes = Number(process.env.TEST_FLOOD_MB ?? 200)
    const telemetry = new URL('../../src/telemetry/', import.meta.url).href
    const args = ['--input-type=module', '-e', SUPERVISOR, directory, String(megabytes), telemetry]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    let said = ''
    child.stdout.on('data', (chunk) => (said += chunk))
    await new Promise((resolve) => child.once('close', resolve))
    const report = JSON.parse(said)
    if (process.env.TEST_FLOOD_MB !== undefined) console.log(report)
    expect(report).toMatchObject({ read: megabytes * 10_000, flushed: true })
    expect(report.count + report.dropped).toBe(report.read)
    expect(report.toldOf).toBe(report.dropped)
    expect(report.dropped).toBeGreaterThan(0)
    expect(report.own).toBeGreaterThan(5)
    expect(report.peak).toBeLessThan(220 * 1024 * 1024)
    expect(report.stall).toBeLessThan(3000)
  }, 120_000)
})

it('WorkerOutput.standStill() throws where it cannot keep what is open, and goOn() has lost nothing (S7)', async () => {
  const file = join(directory, 'program.mjs')
  const source = JSON.stringify(new URL('../../src/telemetry/worker-output.ts', import.meta.url).href)
  writeFileSync(
    file,
    `const { createOutput } = await import(${source})
    const { closeSync, openSync, writeSync } = await import('node:fs')
    const output = await createOutput(${JSON.stringify(directory)}, 'a1')
    const lines = []
    output.onLine = (_stream, text) => lines.push(text)
    const worker = openSync(${JSON.stringify(join(directory, 'a1.out'))}, 'r+')
    output.begin()
    const opened = []
    try { for (;;) opened.push(openSync('/dev/null')) } catch {}
    let code = null
    try { output.standStill() } catch (error) { code = error.code }
    for (const fd of opened) closeSync(fd)
    writeSync(worker, 'a line\\n')
    output.goOn([])
    const late = setTimeout(() => process.exit(1), 10000)
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    clearTimeout(late)
    console.log(JSON.stringify([code, lines]))
    output.close()`,
  )
  const child = spawn('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, file])
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await new Promise((resolve) => void child.once('close', resolve))
  expect(said).toBe('["EMFILE",["a line"]]\n')
})
