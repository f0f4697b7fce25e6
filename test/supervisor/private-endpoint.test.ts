import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { removeEndpoints } from '../../src/supervisor/private-endpoint.ts'

it('removeEndpoints() removes all of a worker, also those that it never spoke of, and no other', () => {
  const directory = mkdtempSync(join(tmpdir(), 'endpoints-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['aaaa1111-1.sock', 'aaaa1111-2.sock', 'aaaa11112-1.sock'])
    writeFileSync(join(directory, name), '')
  removeEndpoints(directory, 'aaaa1111')
  expect(readdirSync(directory)).toEqual(['aaaa11112-1.sock'])
  removeEndpoints(join(directory, 'deleted'), 'aaaa1111')
})
