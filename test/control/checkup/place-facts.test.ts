// The directories that supervisors write to.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { placeFacts } from '../../../src/control/checkup/place-facts.ts'
import { makeDirectory } from '../../supervisor/command-scene.ts'

it('placeFacts() looks at what is there, and at where the rest will be made', () => {
  const directory = makeDirectory()
  const environment = {
    SUPERVISE_RUNTIME_DIR: join(directory, 'not/made/yet'),
    XDG_STATE_HOME: directory,
    TMPDIR: directory,
  }
  const [runtime, state, temporary] = placeFacts(environment)
  expect(runtime).toMatchObject({ what: 'runtime', exists: false, isWritable: true, endsWithSession: false })
  expect(state).toMatchObject({ what: 'state', path: join(directory, 'supervise') })
  expect(temporary).toMatchObject({ what: 'temporary', path: directory, exists: true, isWritable: true })
  for (const { freeBytes, totalBytes } of [runtime!, state!, temporary!]) {
    expect(freeBytes).toBeGreaterThan(0)
    expect(totalBytes).toBeGreaterThanOrEqual(freeBytes)
  }
})

it('placeFacts() knows what others tidy up, and what may not be written to', () => {
  const environment = { SUPERVISE_RUNTIME_DIR: '/tmp/supervise-1', XDG_STATE_HOME: '/proc/self', TMPDIR: '/var/tmp' }
  const [runtime, state, temporary] = placeFacts(environment)
  // What is in /tmp is tidied up by age, /tmp itself is not.
  expect([runtime?.isTidied, state?.isTidied, temporary?.isTidied]).toEqual([true, false, false])
  expect(state?.isWritable).toBe(false)
})
