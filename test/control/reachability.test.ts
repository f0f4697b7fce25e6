import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openInstanceDirectory } from '../../src/control/instance-directory.ts'
import { KeptEntrance } from '../../src/control/reachability.ts'
import { until } from '../support/until.ts'

/** An entrance that is a file, opened when the test says so. */
function makeScene() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'reach-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const directory = openInstanceDirectory('web', { SUPERVISE_RUNTIME_DIR: root })
  const path = directory.controlSocket
  const finish: (() => void)[] = []
  const open = new Set<number>()
  let count = 0
  const make = () => {
    const id = (count += 1)
    open.add(id)
    writeFileSync(path, '')
    return {
      close: () => {
        open.delete(id)
        rmSync(path, { force: true })
      },
    }
  }
  const first = make()
  const slowly = () => new Promise<typeof first>((resolve) => finish.push(() => resolve(make())))
  const said: unknown[] = []
  const kept = new KeptEntrance(directory, { path, open: slowly }, first, (error) => said.push(error))
  return { kept, path, directory, finish, open, said }
}

test('KeptEntrance opens again what was deleted, and closes what it was before', async () => {
  const { kept, path, directory, finish, open, said } = makeScene()
  rmSync(directory.path, { recursive: true })
  await until(() => finish.length > 0, 5000, 'it is being opened again')
  finish[0]?.()
  await until(() => said.length > 0, 5000, 'it is told')
  expect([said, open.size]).toEqual([[null], 1])
  await kept.close()
  expect([open.size, existsSync(path)]).toEqual([0, false])
})

test('KeptEntrance.close() closes also what is being opened just then', async () => {
  const { kept, path, finish, open } = makeScene()
  rmSync(path)
  await until(() => finish.length > 0, 5000, 'it is being opened again')
  const closed = kept.close()
  finish[0]?.()
  await closed
  expect([open.size, existsSync(path)]).toEqual([0, false])
})

test('KeptEntrance.renew() lets those stay who are in the one before, until it is closed itself (S7)', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'reach-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const directory = openInstanceDirectory('web', { SUPERVISE_RUNTIME_DIR: root })
  const done: string[] = []
  const make = (name: string) => ({
    close: () => done.push(`close ${name}`),
    giveWay: () => done.push(`${name} gives way`),
  })
  const entrance = { path: directory.controlSocket, open: () => make('second') }
  writeFileSync(directory.controlSocket, '')
  const kept = new KeptEntrance(directory, entrance, make('first'), () => {})
  await kept.renew()
  expect(done).toEqual(['first gives way'])
  await kept.close()
  expect(done).toEqual(['first gives way', 'close first', 'close second'])
})
