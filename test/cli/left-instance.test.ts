import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { commandForLeft, wordsForLeft } from '../../src/cli/left-instance.ts'

const left = { name: 'default', apps: ['web', 'api'], unit: null }

it.each([
  [left, 'supervise start web'],
  [{ ...left, name: 'shop' }, 'supervise start web --instance shop'],
  [{ ...left, apps: [] }, 'supervise start …'],
  [{ ...left, unit: { name: 'shop.service', scope: 'system' as const } }, 'systemctl start shop.service'],
  [{ ...left, unit: { name: 'shop.service', scope: 'user' as const } }, 'systemctl --user start shop.service'],
])('commandForLeft() of %j is what brings it back', (instance, command) =>
  expect(commandForLeft(instance, '/nowhere')).toBe(command),
)

it('commandForLeft() is to be typed elsewhere where a file has the name of the app', () => {
  const directory = mkdtempSync(join(tmpdir(), 'left-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'web'))
  expect(commandForLeft(left, directory)).toBe('(cd / && supervise start web)')
})

it('wordsForLeft() says that it must be known how it was started where nobody has kept it', () => {
  expect(wordsForLeft(left, '/nowhere')).toBe('Start it again with `supervise start web`, and it takes them over')
  expect(wordsForLeft({ ...left, apps: [] }, '/nowhere')).toMatch(/^Start it again as it was started \(/)
})
