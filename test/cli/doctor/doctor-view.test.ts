import { expect, it } from 'vitest'
import { renderFindings } from '../../../src/cli/doctor/doctor-view.ts'
import { fine, problem } from '../../../src/cli/doctor/finding.ts'
import { plain } from '../../../src/cli/paint.ts'

it('renderFindings() has a line a finding, what to do below, and a sum', () => {
  const bad = problem('instance web', 'its supervisor is dead', { why: 'Nobody restarts.', fix: '`supervise start`.' })
  expect(renderFindings([fine('Node.js', '24'), bad], plain)).toEqual([
    '✓ Node.js       24',
    '✗ instance web  its supervisor is dead',
    '    Why: Nobody restarts.',
    '    Try: `supervise start`.',
    '',
    'Marks: ✓ fine, ✗ hurts now, or at the next start',
    '1 problem, 1 fine',
  ])
  expect(renderFindings([fine('Node.js', '24')], plain).at(-1)).toBe('Everything is as it should be.')
})
