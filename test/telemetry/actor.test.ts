import { expect, it } from 'vitest'
import { actorOf } from '../../src/telemetry/actor.ts'

it.each([
  ['signal SIGHUP', 'signal', 'SIGHUP'],
  ['command by root', 'command', 'root'],
  ['command by root: nightly build', 'command', 'root'],
  ['command start', 'command', null],
  ['control API', 'command', null],
  ['policy maxMemory', 'policy', 'maxMemory'],
  ['policy restart always', 'policy', 'restart always'],
  ['option watch', 'policy', 'watch'],
  ['watch src/a b.js', 'watch', 'src/a b.js'],
  ['hook pre-rollout', 'hook', 'pre-rollout'],
  ['worker', 'worker', null],
  ['system', 'system', null],
  ['supervisor start', 'supervisor', null],
  ['', 'supervisor', null],
])('actorOf(%j)', (cause, kind, name) => expect(actorOf(cause)).toEqual({ kind, name }))
