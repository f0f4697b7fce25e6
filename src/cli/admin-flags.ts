// The admin address as flags of `start`, which a supervisor in the background gets as environment variables.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { previewAddress } from '../config/deploy-parsers.ts'
import type { AdminOptions } from '../control/admin-server.ts'
import { adminTokenUnusable, wrongUsage } from '../errors/cli.ts'
import type { Environment } from './invocation.ts'

export interface AdminFlags {
  readonly admin?: string
  readonly adminTokenFile?: string
  readonly adminName?: readonly string[]
}

const ADDRESS = 'SUPERVISE_ADMIN'
const TOKEN_FILE = 'SUPERVISE_ADMIN_TOKEN_FILE'
const NAMES = 'SUPERVISE_ADMIN_NAMES'

/** A token that can be guessed is none. */
const SHORTEST_TOKEN = 16

export function addAdminFlags(command: Command): void {
  command
    .option('--admin <address>', 'an address such as 127.0.0.1:9615 for metrics, probes and the control API')
    .option('--admin-token-file <file>', 'a file with the token that lets the admin address change things')
    .option('--admin-name <name>', 'a name by which the admin address may be asked, beside addresses', collect)
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** What was typed, as variables for a supervisor in the background. */
export function adminVariables(flags: AdminFlags, directory: string): Record<string, string> {
  const { admin, adminTokenFile, adminName } = flags
  return {
    ...(admin !== undefined && { [ADDRESS]: admin }),
    ...(adminTokenFile !== undefined && { [TOKEN_FILE]: resolve(directory, adminTokenFile) }),
    ...(adminName !== undefined && { [NAMES]: adminName.join(',') }),
  }
}

/** Null where no address is wanted. */
export function readAdmin(environment: Environment, directory: string): AdminOptions | null {
  const text = environment[ADDRESS]
  const tokenFile = environment[TOKEN_FILE]
  if (text === undefined || text === '') {
    if (tokenFile !== undefined)
      throw wrongUsage('use a token without an admin address', 'Give --admin 127.0.0.1:9615 as well.')
    return null
  }
  const parsed = previewAddress.parse(text, directory)
  if (!parsed.ok || 'path' in parsed.value)
    throw wrongUsage(`open an admin address at "${text}": it is no address`, 'Give one such as --admin 127.0.0.1:9615.')
  const names = (environment[NAMES] ?? '').split(',').filter((name) => name !== '')
  const token = tokenFile === undefined ? null : readToken(resolve(directory, tokenFile))
  return { address: parsed.value, token, names: names.map((name) => name.toLowerCase()) }
}

function readToken(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw adminTokenUnusable(file, `it cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  if (text.length < SHORTEST_TOKEN) throw adminTokenUnusable(file, `it has less than ${SHORTEST_TOKEN} characters`)
  return text
}
