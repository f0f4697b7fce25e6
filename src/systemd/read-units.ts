// What a unit of ours was made from, found in its text: the same settings make the same text again, so that one that an
// older version has made can be told.

import { STOP_MARGIN_S, type UnitSettings } from './unit-files.ts'

/** Null when it is none of ours, or was changed so much that it cannot be told. */
export function settingsIn(
  service: string,
  socket: string | null,
  given: Pick<UnitSettings, 'name' | 'scope' | 'systemdVersion'>,
): UnitSettings | null {
  const words = wordsOf(valueIn(service, 'ExecStart') ?? '')
  const [node, launcher, start, flag, name, ...startWords] = words
  if (node === undefined || launcher === undefined || start !== 'start') return null
  if (flag !== '--instance' || name !== given.name) return null
  const stopS = Number(/^(\d+)s$/.exec(valueIn(service, 'TimeoutStopSec') ?? '')?.[1])
  const streams =
    socket === null ? [] : valuesIn(socket, 'ListenStream').map((address) => address.replaceAll('%%', '%'))
  return {
    ...given,
    node,
    launcher,
    startWords,
    workingDirectory: (valueIn(service, 'WorkingDirectory') ?? '/').replaceAll('%%', '%'),
    user: valueIn(service, 'User'),
    listen: [...new Set(streams)],
    slots: Math.max(1, ...[...Map.groupBy(streams, (address) => address).values()].map((lines) => lines.length)),
    stopMs: Number.isFinite(stopS) ? Math.max(0, stopS - STOP_MARGIN_S) * 1000 : 0,
    memoryMax: valueIn(service, 'MemoryMax'),
    cpuQuota: valueIn(service, 'CPUQuota'),
    bindsLowPort: service.includes('CAP_NET_BIND_SERVICE'),
  }
}

/** Lines that one text has and the other has not, by directive; comments and order say nothing. */
export function differencesOf(installed: string, expected: string): readonly string[] {
  const [old, now] = [directivesOf(installed), directivesOf(expected)]
  const names = [...new Set([...old, ...now].map(nameOf))]
  return names.flatMap((name) => {
    const [before, after] = [old, now].map((lines) => lines.filter((line) => nameOf(line) === name))
    if (before?.join('\n') === after?.join('\n')) return []
    return [`${textOf(before)} → ${textOf(after)}`]
  })
}

function textOf(lines: readonly string[] = []): string {
  if (lines.length === 0) return 'nothing'
  return lines.length === 1 ? `${lines[0]}` : `${lines[0]} (${lines.length} lines)`
}

function directivesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.includes('=') && !line.startsWith('#'))
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf('='))
}

function valueIn(text: string, name: string): string | null {
  return valuesIn(text, name).at(-1) ?? null
}

function valuesIn(text: string, name: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1))
}

/** The words of an `Exec…=` line, as `commandLine` writes them. */
export function wordsOf(line: string): readonly string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? []
  return words.map((word, at) => {
    const bare = (word.startsWith('"') ? unescape(word.slice(1, -1)) : word).replaceAll('%%', '%')
    return at === 0 ? bare : bare.replaceAll('$$', '$')
  })
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r' }

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, escaped: string) => ESCAPED[escaped] ?? escaped)
}
