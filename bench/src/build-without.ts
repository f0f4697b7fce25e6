// Builds of supervise whose workers lack a part. Users cannot have that; they are made here, from the same sources, to be
// compared with.

import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** By file of the agent, the heads of the functions that do nothing in such a build. */
type LeftOut = Readonly<Record<string, RegExp>>

/** Nothing looks at requests to route them. */
export const ROUTER: LeftOut = { 'route-intercept.ts': /export function routeServer\([^)]*\): void \{/ }

/** Answers are neither timed nor counted. */
export const ACCOUNTING: LeftOut = {
  'request-clock.ts': /export function noteBegin\([^)]*\): void \{/,
  'answers.ts': /export function countAnswer\([^)]*\): void \{/,
}

/** Returns the path of its command. */
export async function buildWithout(part: LeftOut, room: string): Promise<string> {
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, name), join(room, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(room, 'node_modules'))
  const sources = new Map(
    Object.entries(part).map(([name, head]) => {
      const path = join(ROOT, 'src/agent', name)
      const source = readFileSync(path, 'utf8')
      if (!head.test(source)) throw new Error(`Cannot build without a part: ${name} has no ${head.source} any more`)
      return [path, source.replace(head, '$& return;')]
    }),
  )
  const made = await rolldown({
    cwd: ROOT,
    platform: 'node',
    input: { preload: 'src/agent/preload.ts' },
    external: (id) => !/^[./]/.test(id),
    plugins: [
      {
        name: 'without',
        load: (id) => {
          const code = sources.get(id)
          return code === undefined ? null : { code, moduleType: 'ts' }
        },
      },
    ],
  })
  await made.write({ dir: join(room, 'dist/agent'), format: 'cjs' })
  await made.close()
  return join(room, 'bin/supervise.js')
}
