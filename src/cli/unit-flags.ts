// The flags of `supervise systemd` that become lines of a unit.

import { isIPv4, isIPv6 } from 'node:net'
import type { AppConfig } from '../config/app-config.ts'
import { badUnitDirectory, badUnitFlag } from '../errors/systemd.ts'

/** `3000`, `127.0.0.1:3000`, `[::1]:3000` or an absolute path, as `ListenStream=` takes it. */
export function socketAddressOf(text: string): string {
  if (text.startsWith('/')) {
    const problem = whyNoValue(text)
    if (problem !== null) throw badUnitFlag('--socket', text, problem)
    return text
  }
  const [, host, port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const number = Number(port)
  if (number < 1 || number > 65_535 || (host !== undefined && !isHost(host)))
    throw badUnitFlag(
      '--socket',
      text,
      'it is no port, no address such as 127.0.0.1:3000 or [::1]:3000, and no absolute path',
    )
  return text
}

/** As systemd takes it: brackets are for IPv6, and a zone (`%eth0`) would be a specifier of its own. */
function isHost(host: string): boolean {
  const [, inBrackets] = /^\[([^%]+)\]$/.exec(host) ?? []
  return inBrackets === undefined ? isIPv4(host) : isIPv6(inBrackets)
}

/** The directory that the unit runs in. */
export function checkUnitDirectory(directory: string): void {
  const problem = whyNoValue(directory)
  if (problem !== null) throw badUnitDirectory(directory, problem)
}

/** Why systemd would read another value than this one; null when it would not. */
function whyNoValue(value: string): string | null {
  // oxlint-disable-next-line no-control-regex -- some of them end a line
  if (/[\u0000-\u001f\u007f]/.test(value)) return 'a line of a unit cannot hold a control character'
  if (value.endsWith('\\')) return 'a backslash at the end of a line of a unit joins it with the next one'
  return value.trimEnd() === value ? null : 'a line of a unit loses the space at its end'
}

export function runAsOf(text: string | undefined): string | null {
  if (text === undefined) return null
  if (!/^[^\s%:/\\]+$/.test(text)) throw badUnitFlag('--run-as', text, 'it is no name of a user')
  return text
}

/** As many as the app with most slots has, so that each of its workers finds one. */
export function slotsOf(text: string | undefined, apps: readonly Pick<AppConfig, 'slots'>[]): number {
  if (text === undefined) return Math.max(1, ...apps.map(({ slots }) => slots))
  const slots = Number(text)
  if (!Number.isInteger(slots) || slots < 1 || slots > 256)
    throw badUnitFlag('--socket-slots', text, 'it is no whole number from 1 to 256')
  return slots
}

export function memoryMaxOf(text: string | undefined): string | null {
  if (text === undefined) return null
  if (!/^\d+[KMGT]?$|^\d+%$/.test(text)) throw badUnitFlag('--memory-max', text, 'write it like 2G, 512M or 50%')
  return text
}

export function cpuQuotaOf(text: string | undefined): string | null {
  if (text === undefined) return null
  if (!/^[1-9]\d*%$/.test(text))
    throw badUnitFlag('--cpu-quota', text, 'write it like 150%, which is one CPU and a half')
  return text
}
