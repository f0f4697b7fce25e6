import { array, assert, constantFrom, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, LONGEST_LINE_BYTES } from '../../src/telemetry/lines.ts'

describe('LineSplitter', () => {
  it('gives whole lines, and at the end the one without a newline', () => {
    expect(split([Buffer.from('one\ntwo\n\nfour')])).toEqual(['one', 'two', '', 'four'])
  })

  it('takes the carriage return of a line end, also when the chunk ends between the two', () => {
    expect(split([Buffer.from('one\r'), Buffer.from('\ntwo\r\nth\rree\r\n')])).toEqual(['one', 'two', 'th\rree'])
  })

  it('gives the same lines wherever the bytes are cut', () => {
    const text = array(constantFrom('a', 'é', '漢', '🚀', '\n', '\r\n', 'word ')).map((parts) => parts.join(''))
    assert(
      property(text, array(nat(200)), (whole, cuts) => {
        const bytes = Buffer.from(whole)
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        const lines = whole.split(/\r?\n/)
        if (lines.at(-1) === '') lines.pop()
        expect(split(chunks)).toEqual(lines)
      }),
    )
  })

  it('passes a line that is too long on in marked pieces, without cutting a character', () => {
    const long = `a${'漢'.repeat(LONGEST_LINE_BYTES)}`
    for (const size of [1000, 65_536, long.length * 4]) {
      const pieces = splitMarked(chunked(Buffer.from(`${long}\nshort\n`), size))
      expect(pieces.map((piece) => piece.continues)).toEqual([true, true, true, false, false])
      expect(pieces.every((piece) => Buffer.byteLength(piece.text) <= LONGEST_LINE_BYTES)).toBe(true)
      const whole = pieces.slice(0, -1).map((piece) => piece.text)
      expect(whole.join('')).toBe(long)
      expect(pieces.at(-1)?.text).toBe('short')
    }
  })

  it('gives a line of exactly the longest size as one', () => {
    const line = 'x'.repeat(LONGEST_LINE_BYTES)
    expect(splitMarked(chunked(Buffer.from(`${line}\n`), 7000))).toEqual([{ text: line, continues: false }])
  })

  it('takeRest() takes what is begun out, for another splitter to go on with (S7)', () => {
    const lines: string[] = []
    const [first, second] = [1, 2].map((n) => new LineSplitter((text) => lines.push(`${n} ${text}`)))
    first?.push(Buffer.from('whole\nbeg'))
    second?.push(first?.takeRest() ?? Buffer.alloc(0))
    second?.push(Buffer.from('un\n'))
    first?.end()
    expect(lines).toEqual(['1 whole', '2 begun'])
  })

  it('does not throw on bytes that are no text', () => {
    const garbage = Buffer.from(
      Array.from({ length: 600_000 }, (_, at) => (at * 7919) % 256).filter((byte) => byte !== 10),
    )
    const pieces = splitMarked(chunked(garbage, 4099))
    expect(pieces.length).toBe(3)
    expect(split([Buffer.from([0xff, 0xfe, 10, 0xe6, 10])])).toEqual(['\ufffd\ufffd', '\ufffd'])
  })
})

function split(chunks: readonly Buffer[]): string[] {
  return splitMarked(chunks).map((piece) => piece.text)
}

function splitMarked(chunks: readonly Buffer[]): { text: string; continues: boolean }[] {
  const lines: { text: string; continues: boolean }[] = []
  const splitter = new LineSplitter((text, continues) => lines.push({ text, continues }))
  for (const chunk of chunks) splitter.push(chunk)
  splitter.end()
  return lines
}

function chunked(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}
