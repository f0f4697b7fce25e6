import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { expect, it, onTestFinished } from 'vitest'
import { mapStack } from '../../src/agent/mapped-stack.ts'

const SOURCE = `interface Order { id: number }

function loadOrder(order: Order | undefined): number {
  return order!.id
}

try {
  loadOrder(undefined)
} catch (error) {
  console.log((error as Error).stack)
}
`

/** Builds it as an app is built, and lets Node run it. */
async function build(sourcemap: boolean | 'inline' | 'hidden') {
  const directory = mkdtempSync(join(tmpdir(), 'mapped-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'order.ts'), SOURCE)
  const made = await rolldown({ cwd: directory, input: 'order.ts', platform: 'node' })
  const file = join(directory, 'dist', 'app.mjs')
  await made.write({ file, sourcemap, minify: true })
  await made.close()
  return { directory, file, stack: execFileSync(process.execPath, [file], { encoding: 'utf8' }) }
}

it.each([true, 'inline', 'hidden'] as const)('maps a stack to the source, with sourcemap: %j', async (kind) => {
  const { directory, stack } = await build(kind)
  expect(stack).not.toContain('order.ts')
  const mapped = mapStack(stack) ?? ''
  expect(mapped).toContain(`${directory}/order.ts:4:`)
  expect(mapped).toContain(`${directory}/order.ts:8:`)
  expect(mapped.split('\n')[0]).toBe(stack.split('\n')[0])
})

it('is null without a map, and with one that is none', async () => {
  const { file, stack } = await build(false)
  expect(mapStack(stack)).toBeNull()
  writeFileSync(`${file}.map`, '{"version":')
  expect(mapStack(stack)).toBeNull()
  writeFileSync(file, `${readFileSync(file, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,!!!\n`)
  expect(mapStack(stack)).toBeNull()
  expect(mapStack('Error: no frames')).toBeNull()
})
