// How many columns a text takes on a terminal, and cutting it to fit. Colours take none, wide characters two.

import { stripVTControlCharacters } from 'node:util'

/** The wide blocks of Unicode's East Asian Width, coarsely: Hangul, kana, CJK, full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const NARROW_ONLY = /^[\x20-\x7e\u00a0-\u02ff\u2010-\u2027\u25a0-\u25ff\u2713\u2717]*$/
const INVISIBLE = /^[\p{Mark}\p{Cf}\p{Cc}]+$/u

let segmenter: Intl.Segmenter | undefined

export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text)
  if (NARROW_ONLY.test(plain)) return plain.length
  let width = 0
  for (const grapheme of graphemes(plain)) width += graphemeWidth(grapheme)
  return width
}

/** Cuts at `columns`, the last one an ellipsis; colours before the cut stay and end there. */
export function truncate(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text
  if (columns <= 0) return ''
  let width = 0
  let cut = ''
  for (const piece of text.split(ESCAPES)) {
    if (piece.startsWith('\u001b')) {
      cut += piece
      continue
    }
    for (const grapheme of graphemes(piece)) {
      width += graphemeWidth(grapheme)
      if (width > columns - 1) return `${cut}…${cut.includes('\u001b') ? '\u001b[0m' : ''}`
      cut += grapheme
    }
  }
  return cut
}

/** Lines of at most so many columns, each after the indent; broken between words, and within one that has no room. */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const room = Math.max(columns - textWidth(indent), 1)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((one) => pieces(one, room))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (textWidth(longer) <= room) line = longer
    else {
      lines.push(indent + line)
      line = word
    }
  }
  return [...lines, indent + line]
}

function pieces(word: string, room: number): string[] {
  if (textWidth(word) <= room) return [word]
  const cut: string[] = ['']
  for (const grapheme of graphemes(word)) {
    const last = cut.at(-1) ?? ''
    if (last !== '' && textWidth(last + grapheme) > room) cut.push(grapheme)
    else cut[cut.length - 1] = last + grapheme
  }
  return cut
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)))
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - textWidth(text))) + text
}

/** One line without control characters: what an app wrote must not move the cursor of a table or a frame. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\r\n\t]+/g, ' ')
    .replaceAll(/\p{Cc}/gu, '')
}

/** What a process wrote before it died has empty lines that only take room. */
export function linesWithText(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => oneLine(line).trim() !== '')
}

// oxlint-disable-next-line no-control-regex
const ESCAPES = /(\u001b\[[0-9;]*m)/

function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return Array.from(segmenter.segment(text), (part) => part.segment)
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0
  return WIDE.test(grapheme) ? 2 : 1
}
