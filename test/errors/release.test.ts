import { describe, expect, it } from 'vitest'
import * as errors from '../../src/errors/release.ts'
import { EXIT, type SuperviseError } from '../../src/errors.ts'

const ALL: readonly SuperviseError[] = [
  errors.releasePathMissing('web', './r2'),
  errors.releasePathNoDirectory('web', './r2'),
  errors.releasePathUnreadable('web', './r2', 1000),
  errors.releasePathUnusable('web', './r2', 'ELOOP'),
  errors.releaseWithoutScript('web', './r2', ['dist/server.js']),
  errors.commandWithoutGroups('web'),
  errors.commandWithoutNode('web'),
  errors.deployRefused('web', 'r2', 'it was not ready within 120 s', ['Error: no']),
  errors.rolloutTakenBack('web', 'r2', 'worker 1 exited with code 1'),
  errors.releaseNodeUnusable('web', '"/opt/node" does not exist'),
  errors.hookSaidNo('web', 'r2', 'the hook pre-rollout (`no`) ended with exit code 1', []),
  errors.dataVersionsApart('web', 'r2', 'it writes data of version 8, which r1 cannot read', 'Expand first.'),
  errors.releaseFileUnusable('web', '/srv/r2/supervise.release.json', 'it is no JSON'),
  errors.noStandby('web', 'r1'),
  errors.noLongerWarm('web', 'r2', 'r1'),
  errors.deployAborted('web', 'r2'),
  errors.deployAborted('web', null),
  errors.nothingToPreview('web', 'r1'),
  errors.previewNotReady('web', 'r2'),
  errors.nothingToRollBackTo('web', 'r1'),
  errors.unknownRelease('web', 'r9', ['r1', 'r2'], 'r2'),
  errors.unknownRelease('web', 'r9', [], null),
  errors.releaseGone('web', 'r1', '/srv/r1', 'r2'),
  errors.noRollout('web', 'promote'),
  errors.promotedAlready('web', 'r2', 'r1'),
  errors.givenUpAlready('web', 'r2', 'the smoke test failed'),
  errors.alreadyActive('web', 'r2'),
]

describe('errors of releases', () => {
  it.each(ALL.map((error) => [error.code, error] as const))('%s says what cannot be done, and what can', (_, error) => {
    expect(error.message).toMatch(/^Cannot .+: .+[^.]$/)
    expect(error.fix).toMatch(/[.?]$/)
  })

  it('are all here, under codes of their own', () => {
    const codes = new Set(ALL.map(({ code }) => code))
    expect(codes.size).toBe(Object.keys(errors).length)
  })

  it('exit with 5 where a release is said to serve on, and with less where nothing was tried', () => {
    for (const { code, fix, exitCode } of ALL) {
      if (/serves (?:on|again)/.test(fix)) expect([code, exitCode]).toEqual([code, EXIT.rolloutFailed])
    }
    expect(errors.unknownRelease('web', 'r9', [], null).exitCode).toBe(EXIT.unknownTarget)
    expect(errors.releasePathMissing('web', 'x').exitCode).toBe(EXIT.usage)
    expect(errors.releasePathUnreadable('web', 'x', 1).exitCode).toBe(EXIT.noPermission)
  })
})
