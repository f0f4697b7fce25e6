// A build of supervise whose workers have no router: nothing looks at their requests. Users cannot have that; it is made here,
// from the same sources, to be compared with.

import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ROUTER = join(ROOT, 'src/agent/route-intercept.ts')
const HEAD = /export function routeServer\([^)]*\): void \{/

/** Returns the path of its command. */
export async function buildWithoutRouter(room: string): Promise<string> {
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(room, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(room, 'node_modules'))
  const source = readFileSync(ROUTER, 'utf8')
  if (!HEAD.test(source))
    throw new Error('Cannot build without the router: route-intercept.ts has no routeServer any more')
  const made = await rolldown({
    cwd: ROOT,
    platform: 'node',
    input: { preload: 'src/agent/preload.ts' },
    external: (id) => !/^[./]/.test(id),
    plugins: [
      {
        name: 'without-router',
        load: (id) => (id === ROUTER ? { code: source.replace(HEAD, '$& return;'), moduleType: 'ts' } : null),
      },
    ],
  })
  await made.write({ dir: join(room, 'dist/agent'), format: 'cjs' })
  await made.close()
  return join(room, 'bin/supervise.js')
}
