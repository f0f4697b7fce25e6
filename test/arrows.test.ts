// Which room may import which: reads the import lines and fails on any other arrow.

import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

const EVERYWHERE = ['config', 'errors', 'errors.ts'] as const

/** Where a test program may hold the supervisor still. */
const FAULTS = 'fault-points.ts'

/** Rooms that each room may import values and types from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  cli: ['control', 'systemd', ...EVERYWHERE],
  control: ['supervisor', 'state', 'telemetry', FAULTS, ...EVERYWHERE],
  supervisor: ['core', 'sockets', 'telemetry', 'state', 'protocol', 'systemd', FAULTS, ...EVERYWHERE],
  systemd: EVERYWHERE,
  sockets: ['protocol', ...EVERYWHERE],
  // Buckets that workers fill and what is computed from them.
  telemetry: ['core', 'protocol', ...EVERYWHERE],
  state: [FAULTS, ...EVERYWHERE],
  config: EVERYWHERE,
  agent: ['protocol'],
  protocol: [],
  core: [],
  errors: ['errors.ts'],
  'errors.ts': [],
  [FAULTS]: [],
  'index.ts': ['config'],
  'runtime.ts': ['protocol'],
}

/** Rooms whose types alone may be imported: vocabulary without code. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  supervisor: ['control/messages.ts', 'control/release-messages.ts'],
  sockets: ['control/messages.ts'],
  telemetry: ['control/messages.ts', 'protocol/messages.ts', 'supervisor/operations.ts'],
  state: [
    'control/messages.ts',
    'protocol/messages.ts',
    'core/bake.ts',
    'core/crash-groups.ts',
    'core/release-history.ts',
    'core/rollout.ts',
    'telemetry/measures.ts',
  ],
  config: ['control/messages.ts'],
  control: ['protocol/messages.ts', 'core/chaos.ts'],
  cli: ['protocol/messages.ts'],
  errors: ['core/chaos-limits.ts'],
  'errors.ts': ['control/messages.ts'],
}

interface Import {
  readonly from: string
  readonly to: string
  readonly isType: boolean
}

const IMPORT = /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/gm

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  return [...text.matchAll(IMPORT)].map((match) => {
    const target = match[2] ?? match[3] ?? ''
    const to = target.startsWith('.') ? normalize(join(file, '..', target)) : target
    return { from: file, to, isType: match[1] !== undefined }
  })
}

const FILES = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))

const IMPORTS = FILES.flatMap(importsOf)
const roomOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : file)

function isAllowed({ from, to, isType }: Import): boolean {
  const room = roomOf(from)
  if (roomOf(to) === room) return true
  if (MAY_IMPORT[room]?.includes(roomOf(to)) === true) return true
  return isType && MAY_IMPORT_TYPES[room]?.includes(to) === true
}

describe('imports', () => {
  const inside = IMPORTS.filter(({ to }) => to.endsWith('.ts'))

  it('are found', () => {
    expect(inside.length).toBeGreaterThan(100)
  })

  it('follow the arrows', () => {
    const wrong = inside.filter((each) => !isAllowed(each)).map(({ from, to }) => `${from} → ${to}`)
    expect(wrong).toEqual([])
  })

  it('of core/ stay inside core/', () => {
    expect(IMPORTS.filter(({ from, to }) => roomOf(from) === 'core' && roomOf(to) !== 'core')).toEqual([])
  })

  it('of agent/ and protocol/ need no package: they run inside the app', () => {
    const rooms = ['agent', 'protocol', 'runtime.ts']
    const outside = IMPORTS.filter(
      ({ from, to, isType }) =>
        !isType && rooms.includes(roomOf(from)) && !to.endsWith('.ts') && !to.startsWith('node:'),
    )
    expect(outside).toEqual([])
  })
})

describe('core/', () => {
  it('has no clock, no chance and no timer', () => {
    const forbidden =
      /\bDate\b|Math\.random|setTimeout|setInterval|setImmediate|performance\.|console\.|\bawait\b|Promise/
    const wrong = FILES.filter((file) => roomOf(file) === 'core').filter((file) => {
      const code = readFileSync(join(SRC, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      return forbidden.test(code)
    })
    expect(wrong).toEqual([])
  })
})
