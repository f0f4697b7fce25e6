// Units of ours as they lie on the disk.

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemdFacts } from '../../../src/cli/doctor/unit-facts.ts'
import { serviceUnit } from '../../../src/systemd/unit-files.ts'
import { makeDirectory } from '../../supervisor/command-scene.ts'
import { UNIT } from './healthy-facts.ts'

it('systemdFacts() finds the Node of a unit, whatever is in its path', () => {
  const directory = makeDirectory()
  const place = join(directory, 'a 100% "b"')
  mkdirSync(place)
  const node = join(place, 'node-24')
  writeFileSync(node, '')
  chmodSync(node, 0o755)
  symlinkSync(node, join(place, 'node'))
  const units = { web: node, linked: join(place, 'node'), gone: '/opt/100%/node' }
  for (const [name, path] of Object.entries(units))
    writeFileSync(join(directory, `${name}.service`), serviceUnit({ ...UNIT, name, node: path }))
  writeFileSync(join(directory, 'other.service'), '[Service]\nExecStart=/bin/true\n')

  const found = systemdFacts({ SYSTEMD_UNIT_PATH: directory }, null).units
  expect(Object.fromEntries(found.map((unit) => [unit.name, unit.node]))).toEqual({
    web: { path: node, runs: true, leadsTo: null },
    linked: { path: join(place, 'node'), runs: true, leadsTo: node },
    gone: { path: '/opt/100%/node', runs: false, leadsTo: null },
  })
  expect(systemdFacts({ SYSTEMD_UNIT_PATH: directory }, 'web').units).toHaveLength(1)
})
