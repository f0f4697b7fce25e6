import { expect, it } from 'vitest'
import { makeGeneration } from '../../src/supervisor/worker-spec.ts'
import { Scene } from './release-moves-scene.ts'

it('nextGenerationNumber() is higher than that of the standby group which an earlier supervisor left', async () => {
  const { app } = await Scene.begin({})
  const { number } = app.activeGroup.generation
  // As after an adoption: this supervisor has numbered none of them.
  app.addGroup(makeGeneration(number + 1, 'green', 'r2', app.config), 2)
  expect(app.nextGenerationNumber()).toBe(number + 2)
  expect(app.nextGenerationNumber()).toBe(number + 3)
})
