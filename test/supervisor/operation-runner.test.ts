import { expect, it } from 'vitest'

import { OperationRunner, type Body } from '../../src/supervisor/operation-runner.ts'
import { result } from '../cli/stand-in.ts'
import { FakeClock } from './fake-borrowers.ts'

const context = { cause: 'test', progress: () => {} }

it('OperationRunner.run() settles the recycles that a reload makes needless, and runs the reload', async () => {
  const runner = new OperationRunner('web', new FakeClock())
  const began: string[] = []
  const finish: (() => void)[] = []
  const body =
    (name: string): Body =>
    () => {
      began.push(name)
      return new Promise((resolve) => finish.push(() => resolve(result({ text: name }))))
    }
  const first = runner.run('recycle', '1', context, body('first'))
  const needless = runner.run('recycle', '2', context, body('needless'))
  const reload = runner.run('reload', '', context, body('reload'))
  await expect(needless).rejects.toMatchObject({ code: 'APP_BUSY' })
  finish[0]!()
  expect((await first).text).toBe('first')
  await expect.poll(() => began).toEqual(['first', 'reload'])
  finish[1]!()
  expect((await reload).text).toBe('reload')
  expect(runner.current).toBeNull()
})
