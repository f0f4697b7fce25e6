// The Node that runs this command, and the one that each supervisor runs.

import type { InstanceFacts, SelfFacts, SupervisorFacts } from '../../control/checkup/facts.ts'
import { fine, note, problem, warning, type Finding, type HostFacts } from './finding.ts'

/** Those that every release is tested on. */
const TESTED = [22, 24, 26]

export function judgeNode({ self, instances }: HostFacts): readonly Finding[] {
  return [judgeOwn(self), ...instances.flatMap((instance) => judgeInstance(instance, self))]
}

function judgeOwn({ nodeVersion, linkMissing, platform }: SelfFacts): Finding {
  const about = 'Node.js'
  const version = nodeVersion.replace(/^v/, '')
  if (linkMissing !== null)
    return problem(about, `${version} lacks ${linkMissing}`, {
      why: 'The link to workers needs it: without it a supervisor that dies cannot get its workers back.',
      fix: `Run supervise with Node ${TESTED.join(', ')}.`,
    })
  if (!TESTED.includes(Number(version.split('.')[0])))
    return note(about, `${version}: not among the versions that are tested (${TESTED.join(', ')})`)
  if (platform !== 'linux')
    return note(about, `${version} on ${platform}`, { why: 'All workers share one socket an address there.' })
  return fine(about, `${version}, and all that the link to workers needs is there`)
}

function judgeInstance({ name, supervisor }: InstanceFacts, self: SelfFacts): readonly Finding[] {
  if (supervisor === null) return []
  const about = `instance ${name}`
  const again = wayToStartAgain(name, supervisor)
  const { nodeVersion, version } = supervisor
  const findings: Finding[] = []
  if (supervisor.isNodeGone)
    findings.push(
      problem(about, 'the Node binary that its supervisor runs was deleted or replaced', {
        why: 'Workers are started from that file: the next restart or reload may fail, or mix two versions of Node.',
        fix: again,
      }),
    )
  if (version !== self.version)
    findings.push(
      warning(about, `its supervisor is version ${version}, and this command is ${self.version}`, {
        why: 'They may not understand each other in everything.',
        fix: again,
      }),
    )
  if (nodeVersion !== self.nodeVersion)
    findings.push(
      note(about, `its supervisor runs Node ${nodeVersion.slice(1)}, this command ${self.nodeVersion.slice(1)}`),
    )
  return findings
}

function wayToStartAgain(name: string, { keptBy }: SupervisorFacts): string {
  if (keptBy.who === 'systemd') return `\`supervise systemd install\` again, or \`systemctl restart ${name}\`.`
  return `\`supervise stop --all --instance ${name}\`, then start it again.`
}
