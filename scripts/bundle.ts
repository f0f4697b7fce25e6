// Puts the modules of the command, and those of the agent, into few files of CommonJS: every start of either loads all of
// them, and Node takes longer to find and link a module than to compile it (docs/decisions/009-bundles.md).

import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown, type InputOptions, type OutputOptions } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Loaded by every command: as modules of its own it would take longer than all of ours. */
const INSIDE = 'commander'

/**
 * What a worker loads with --require before the app's own first line, with what it loads later in a file of a name that stays:
 * the supervisor may have been updated by then. And what sends the spans of a rollout.
 */
export async function bundleAgent(directory: string): Promise<void> {
  const output = { dir: directory, format: 'cjs', chunkFileNames: '[name].js' } as const
  await bundle({ input: { preload: 'src/agent/preload.ts' } }, output)
  await bundle({ input: { 'export-spans': 'src/agent/export-spans.ts' } }, output)
}

/** The command, in a file for each part that is loaded on its own, all beside each other. */
export async function bundleCommand(directory: string): Promise<void> {
  await bundle({ input: { main: 'src/cli/main.ts' } }, { dir: directory, format: 'cjs', chunkFileNames: '[name].js' })
  copyFileSync(`${root}node_modules/${INSIDE}/LICENSE`, `${directory}/${INSIDE}.LICENSE`)
  // It imports configs, which may be ES modules with a top-level await.
  const evaluator = { input: { 'evaluate-module': 'src/config/evaluate-module.ts' } }
  await bundle(evaluator, { dir: directory, format: 'esm', entryFileNames: '[name].mjs' })
}

async function bundle(input: InputOptions, output: OutputOptions): Promise<void> {
  const made = await rolldown({ cwd: root, platform: 'node', external: isOutside, ...input })
  try {
    await made.write(output)
  } finally {
    await made.close()
  }
}

function isOutside(id: string): boolean {
  return id !== INSIDE && !/^[./]/.test(id)
}
