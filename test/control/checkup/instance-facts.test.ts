// What is found of an instance whose supervisor answers, answers something else, or does not answer any more.

import { rmSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { instanceFacts } from '../../../src/control/checkup/instance-facts.ts'
import type { InstanceHandle } from '../../../src/control/find-instances.ts'
import type { AppStatus } from '../../../src/control/messages.ts'
import type { SupervisorOperations } from '../../../src/supervisor/operations.ts'
import { scriptSupervisor, serve, unknownApp } from '../scripted-supervisor.ts'

const { operations } = scriptSupervisor()

/** The status of a healthy one, with these apps. */
function statusWith(...apps: readonly object[]) {
  const status = operations.status()
  const [web] = status.apps
  const appWith = (change: object) => ({ ...web, ...change })
  // What another version answers has another shape.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return () => ({ ...status, apps: apps.map(appWith) as unknown as readonly AppStatus[] })
}

async function factsWith(script: Partial<SupervisorOperations>) {
  const running = await serve(script)
  onTestFinished(() => running.stop())
  const handle: InstanceHandle = { name: 'test', directory: running.directory, alive: true, pong: operations.ping() }
  return { handle, running, facts: await instanceFacts(handle) }
}

it('instanceFacts() tells what a supervisor says of itself and of its apps', async () => {
  const { facts } = await factsWith({})
  expect(facts).toMatchObject({
    state: 'alive',
    hasControlSocket: true,
    supervisor: { pid: process.pid, keptBy: { who: 'nobody' }, isNodeGone: false },
    apps: [{ name: 'web', state: 'online', missingPaths: ['/app.js'], configProblem: null, unreachable: [] }],
    answerProblem: null,
  })
})

it('instanceFacts() takes no supervisor for silent of which one app was deleted in that moment', async () => {
  const { facts } = await factsWith({ status: statusWith({}, { name: 'gone' }) })
  expect([facts.state, facts.apps.map(({ name }) => name), facts.answerProblem]).toEqual(['alive', ['web'], null])
})

it('instanceFacts() leaves out the one app whose answer it cannot use, and says so', async () => {
  const { facts } = await factsWith({ status: statusWith({}, { name: 'my app/1', groups: undefined }) })
  expect([facts.state, facts.supervisor?.pid, facts.apps.map(({ name }) => name)]).toEqual([
    'alive',
    process.pid,
    ['web'],
  ])
  expect(facts.answerProblem).toMatchObject({ says: expect.stringContaining('not what this version expects') })
})

it('instanceFacts() knows a supervisor that speaks otherwise from one that is silent', async () => {
  const { facts } = await factsWith({
    status: () => {
      throw unknownApp('nothing')
    },
  })
  expect(facts).toMatchObject({
    state: 'alive',
    supervisor: null,
    apps: [],
    answerProblem: { says: 'Cannot find app "nothing"', fix: 'Look at status.' },
  })
})

it('instanceFacts() takes one that ended since it was found for silent', async () => {
  const { handle, running } = await factsWith({})
  await running.server.close(100)
  rmSync(handle.directory.controlSocket, { force: true })
  expect(await instanceFacts(handle)).toMatchObject({ state: 'silent', supervisor: null, answerProblem: null })
})
