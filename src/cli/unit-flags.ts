// The flags of `supervise systemd` that become lines of a unit.

import { isIP } from 'node:net'
import type { AppConfig } from '../config/app-config.ts'
import { badUnitFlag } from '../errors/systemd.ts'

/** `3000`, `127.0.0.1:3000`, `[::1]:3000` or an absolute path, as `ListenStream=` takes it. */
export function socketAddressOf(text: string): string {
  if (text.startsWith('/')) return text
  const [, host, port = ''] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  const number = Number(port)
  const bare = host?.replace(/^\[(.+)\]$/, '$1')
  if (port === '' || number < 1 || number > 65_535 || (bare !== undefined && isIP(bare) === 0))
    throw badUnitFlag('--socket', text, 'it is no port, no address such as 127.0.0.1:3000, and no absolute path')
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
