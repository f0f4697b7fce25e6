import { expect, it } from 'vitest'
import { upgradeWords } from '../../src/cli/upgrade.ts'

const result = {
  instance: 'web',
  dryRun: false,
  from: '1.0.0',
  to: '1.1.0',
  nodeVersion: 'v24.0.0',
  pid: 7,
  newPid: 8,
  handOverMs: 80,
  notes: ['a note'],
}

it('upgradeWords() says from which version to which, or that it is the same', () => {
  expect(upgradeWords(result)).toEqual([
    'web: version 1.1.0 (pid 8) took over from version 1.0.0 within 80 ms; every worker serves on',
    'Note: a note',
  ])
  expect(upgradeWords({ ...result, from: '1.1.0' })[0]).toMatch(/took over from the same version within/)
  expect(upgradeWords({ ...result, from: '1.1.0', dryRun: true })[0]).toMatch(/could take over from the same version;/)
})
