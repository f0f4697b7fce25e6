// `supervise doctor`: looks at everything that could hurt, and says what is so, why it matters and what to type. It changes
// nothing.

import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../errors.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'

interface DoctorOptions {
  readonly strict?: boolean
}

export function define(command: Command, invocation: Invocation): void {
  command
    .description(
      'Looks at Node, every instance and its apps, what dead supervisors left, limits, the kernel, directories and the units of ' +
        'systemd, and says what is so, why it matters and what to type. Changes nothing. Exits 1 when something hurts or will at ' +
        'the next start; a warning, which hurts only when something else happens, exits 0.',
    )
    .option('--strict', 'exit 1 for warnings, too')
    .action(async (options: DoctorOptions) => {
      invocation.exitCode = await examine(options, invocation)
    })
  addExamples(command, [
    { command: 'supervise doctor', does: 'everything of this user, and of this host' },
    { command: 'sudo supervise doctor --instance web', does: 'one instance, and its unit' },
    { command: 'supervise doctor --json --strict', does: 'for a pipeline' },
  ])
}

async function examine({ strict }: DoctorOptions, { output, environment, instance }: Invocation): Promise<ExitCode> {
  const [{ gatherFacts }, { systemdFacts }, { judge }, { renderFindings }] = await Promise.all([
    import('../control/checkup/checkup.ts'),
    import('./doctor/unit-facts.ts'),
    import('./doctor/checks.ts'),
    import('./doctor/doctor-view.ts'),
  ])
  const only = instance()
  const facts = { ...(await gatherFacts(environment, only)), asked: only, systemd: systemdFacts(environment, only) }
  const findings = judge(facts)
  const isWell = findings.every(({ level }) => level !== 'problem' && !(strict === true && level === 'warning'))
  if (output.json) output.document({ ok: isWell, findings })
  else output.lines(renderFindings(findings, output.paint, output.width))
  return isWell ? EXIT.ok : EXIT.failed
}
