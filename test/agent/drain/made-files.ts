// What is made once per test file, in a temporary directory: the agent, a file a module, and a certificate.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let directory: string | null = null
let agent: string | null = null
let certificates: string | null = null

afterAll(() => {
  if (directory !== null) rmSync(directory, { recursive: true, force: true })
})

/** The directory that has `drain.js`. */
export function agentDirectory(): string {
  if (agent !== null) return agent
  const out = make('agent')
  writeFileSync(path.join(out, 'package.json'), '{ "type": "commonjs" }')
  // Types are checked elsewhere.
  const options = ['-p', 'test/agent/drain/tsconfig.json', '--noCheck', '--outDir', out]
  execFileSync(path.join(root, 'node_modules/.bin/tsc'), options, { cwd: root, stdio: 'inherit' })
  return (agent = path.join(out, 'agent'))
}

/** The directory that has `key.pem` and `cert.pem`. */
export function certificateDirectory(): string {
  if (certificates !== null) return certificates
  const out = make('certificates')
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  execFileSync('openssl', [...request.split(' '), '-keyout', 'key.pem', '-out', 'cert.pem'], {
    cwd: out,
    stdio: 'ignore',
  })
  return (certificates = out)
}

function make(name: string): string {
  if (directory === null) {
    directory = mkdtempSync(path.join(tmpdir(), 'supervise-drain-'))
  }
  const subdirectory = path.join(directory, name)
  mkdirSync(subdirectory)
  return subdirectory
}
