// Makes dist/ from src/: the command and the agent as bundles of CommonJS, the library as ES modules with their types.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleAgent, bundleCommand } from './bundle.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url))
const dist = `${root}dist`

// Built beside and swapped in one step: what runs from dist/ meanwhile goes on finding its files.
const fresh = mkdtempSync(`${root}.dist-`)
try {
  execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', fresh], { cwd: root, stdio: 'inherit' })
  await bundleCommand(`${fresh}/cli`)
  await bundleAgent(`${fresh}/agent`)
  for (const part of ['cli', 'agent']) writeFileSync(`${fresh}/${part}/package.json`, '{ "type": "commonjs" }\n')
  execFileSync(process.execPath, [`${root}scripts/generate-schema.ts`, fresh], { cwd: root, stdio: 'inherit' })
  // mkdtemp makes it for its owner alone; an app may run as another user.
  chmodSync(fresh, 0o755)
  const old = `${fresh}.old`
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(fresh, dist)
  rmSync(old, { recursive: true, force: true })
} finally {
  rmSync(fresh, { recursive: true, force: true })
}
